import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Tree } from './host-tree.ts'

/**
 * What is written goes into memory, over the real files; the last `cat` is the first process of the namespaces, whose
 * end, with that of its input, ends them and whatever runs in them.
 */
const SETUP = `
set -e
mount -t tmpfs -o mode=0755 none "$1"
for directory in etc usr; do
  mkdir -p "$1/$directory/upper" "$1/$directory/work"
  layers="lowerdir=/$directory,upperdir=$1/$directory/upper,workdir=$1/$directory/work"
  mount -t overlay -o "$layers" none "/$directory"
done
mount -t tmpfs -o mode=0755 none /run
mount -t tmpfs -o mode=0755 none /sys/fs/cgroup
# What is not named above stays as it is, whatever a program tries.
mount -o remount,bind,ro /
echo '3600.00 100.00' > "$1/uptime"
chmod 644 "$1/uptime"
mount --bind "$1/uptime" /proc/uptime
ip link set lo up
echo ready
exec cat
`

const ENVIRONMENT = { LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } as const

/**
 * This machine in namespaces of its own: its programs and files, of which /etc, /usr, /run and the control groups can
 * be changed without changing the machine, and neither the machine's network nor its processes. It has run for an hour.
 * All other files of its root are read-only.
 */
export class ApartMachine {
  readonly #holder: ChildProcess
  readonly #pid: number
  readonly #directory: string

  private constructor(holder: ChildProcess, pid: number, directory: string) {
    this.#holder = holder
    this.#pid = pid
    this.#directory = directory
  }

  /** `directory`: an empty one, for what is written. Throws with what a program said where this is not permitted. */
  static async start(directory: string): Promise<ApartMachine> {
    const namespaces = ['--mount', '--net', '--pid', '--fork', '--mount-proc', '--propagation', 'private']
    const holder = spawn('unshare', [...namespaces, '--', 'sh', '-c', SETUP, 'sh', directory])
    const said = await new Promise<string>((resolve, reject) => {
      let errors = ''
      holder.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
      holder.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
      holder.once('error', reject)
      holder.once('close', () => reject(new Error(errors.trim())))
    })
    if (said.trim() !== 'ready') throw new Error(said)
    const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8')
    return new ApartMachine(holder, Number.parseInt(children, 10), directory)
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#holder.once('exit', resolve))
    this.#holder.stdin?.end()
    await gone
  }

  /** Where a path of the machine apart is for this process. Throws where it would be one of the machine itself. */
  at(path: string): string {
    const [theirs, ours] = [this.#pid, 'self'].map((process) => readlinkSync(`/proc/${process}/ns/mnt`))
    if (theirs === ours) throw new Error('not a machine apart')
    return join(`/proc/${this.#pid}/root`, path)
  }

  write(tree: Tree): void {
    for (const [path, entry] of Object.entries(tree)) {
      const at = this.at(path)
      mkdirSync(dirname(at), { recursive: true })
      rmSync(at, { recursive: true, force: true })
      if (typeof entry === 'string' || entry instanceof Uint8Array) writeFileSync(at, entry, { mode: 0o644 })
      else if ('link' in entry) symlinkSync(entry.link, at)
      else if ('directory' in entry) mkdirSync(at)
      else throw new Error(`${path}: not an entry that is needed here`)
    }
  }

  remove(path: string): void {
    rmSync(this.at(path), { recursive: true })
  }

  /** Does something, and then puts back what was at these paths. */
  keeping<T>(paths: readonly string[], action: () => T): T {
    const kept = join(this.#directory, 'kept')
    const keep = 'set -e; mkdir "$0"; for path; do cp --archive --parents "$path" "$0"; done'
    const restore = 'set -e; for path; do rm -rf "$path"; cp --archive "$0$path" "$path"; done; rm -r "$0"'
    this.run(['sh', '-c', keep, kept, ...paths])
    try {
      return action()
    } finally {
      this.run(['sh', '-c', restore, kept, ...paths])
    }
  }

  #command(command: readonly string[]): string[] {
    return ['--target', `${this.#pid}`, '--mount', '--net', '--pid', '--', ...command]
  }

  /** Runs a command to its end, and returns what it printed. Throws where it fails. */
  run(command: readonly string[], input = '', mayFail = false): string {
    const options = {
      encoding: 'utf8',
      input,
      env: ENVIRONMENT,
      cwd: '/',
      maxBuffer: 1 << 28,
      timeout: 30_000,
    } as const
    const { status, stdout, stderr, error } = spawnSync('nsenter', this.#command(command), options)
    if (error !== undefined) throw error
    if (status !== 0 && !mayFail) throw new Error(`${command.join(' ')}: ${status}: ${stderr}`)
    return stdout
  }

  /** Whether a server listens on a port of TCP, of the machine's own network. */
  listensOn(port: number): boolean {
    const listening = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F:]+ 0A `)
    return ['tcp', 'tcp6'].some((table) => listening.test(readFileSync(this.at(`/proc/1/net/${table}`), 'utf8')))
  }

  /** A command that goes on, until the machine is stopped. */
  start(command: readonly string[]): void {
    spawn('nsenter', this.#command(command), { stdio: 'ignore', env: ENVIRONMENT, cwd: '/' })
  }
}
