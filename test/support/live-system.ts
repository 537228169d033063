import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, closeSync, copyFileSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { controlGroup, type ControlGroup } from './control-group.ts'
import { copyTree, furnishedTree } from './debian-tree.ts'

/** What systemd itself needs, beside what the packages under test depend on. */
const SYSTEM = ['systemd', 'systemd-sysv', 'dbus', 'libstdc++6']
const BOOT_MS = 60_000
const POWER_OFF_MS = 20_000
/** SIGRTMIN+4, by which systemd is told to power off (systemd(1)). */
const POWER_OFF = 38
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' } as const

export interface Answer {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A Debian whose systemd runs, in namespaces of its own: no network but its loopback, none of this machine's processes
 * or control groups. Limits that the kernel sets by control groups hold only where this machine has them in version 2.
 */
export class LiveSystem {
  readonly #root: string
  readonly #child: ChildProcess
  readonly #group: ControlGroup
  #leader = 0

  private constructor(root: string, child: ChildProcess, group: ControlGroup) {
    this.#root = root
    this.#child = child
    this.#group = group
  }

  /** Boots a copy of Debian with these packages. The caller stops it. */
  static async boot(packages: readonly string[]): Promise<LiveSystem | { readonly obstacle: string }> {
    if (process.getuid?.() !== 0) return { obstacle: 'systemd-nspawn wants to be root' }
    if (spawnSync('systemd-nspawn', ['--version']).error !== undefined)
      return { obstacle: 'systemd-nspawn is not installed' }
    const name = `ks-test-${process.pid}`
    const group = controlGroup(name)
    if (group === undefined) return { obstacle: 'this machine has no control groups of version 2' }
    const tree = furnishedTree('stable', [...SYSTEM, ...packages])
    if (!('root' in tree)) {
      group.end()
      return tree
    }
    const root = copyTree(tree.root)
    // Who is not root in there has to get to its files.
    chmodSync(root, 0o755)
    writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n')
    const system = new LiveSystem(root, launch(root, name, group), group)
    try {
      await system.#untilBooted()
      return system
    } catch (error) {
      const console = readFileSync(consoleOf(root), 'utf8').trim().split('\n').at(-1)
      await system.stop()
      return { obstacle: `systemd-nspawn cannot boot: ${error instanceof Error ? error.message : ''} ${console}` }
    }
  }

  async #untilBooted(): Promise<void> {
    const deadline = performance.now() + BOOT_MS
    while (performance.now() < deadline) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('it ended')
      this.#leader ||= leaderOf(this.#child.pid)
      if (this.#leader !== 0 && /^(running|degraded)$/.test(this.run('systemctl', 'is-system-running').stdout.trim()))
        return
      await sleep(100)
    }
    throw new Error('it took too long')
  }

  /** A program in the system, as root. */
  run(...command: readonly string[]): Answer {
    return spawnSync('nsenter', ['--target', String(this.#leader), '--all', '--', ...command], {
      encoding: 'utf8',
      env: ENVIRONMENT,
    })
  }

  /** What it prints. Throws with what it complained of. */
  ask(...command: readonly string[]): string {
    const { status, stdout, stderr } = this.run(...command)
    if (status !== 0) throw new Error(`${command.join(' ')}: ${status}: ${stderr}${stdout}`)
    return stdout.trim()
  }

  /** As this user, with its group alone. */
  askAs(user: string, ...command: readonly string[]): string {
    return this.ask('setpriv', '--reuid', user, '--regid', user, '--clear-groups', '--', ...command)
  }

  /** The content at a web address of its loopback, by a Node outside; undefined where nobody answers well. */
  get(url: string): string | undefined {
    const script = 'const r = await fetch(process.argv[1]); console.log(await r.text()); process.exit(r.ok ? 0 : 1)'
    const command = [process.execPath, '--input-type=module', '--eval', script, url]
    const { status, stdout } = spawnSync('nsenter', ['--target', String(this.#leader), '--net', '--', ...command], {
      encoding: 'utf8',
    })
    return status === 0 ? stdout.trim() : undefined
  }

  /** Puts a file there; readable for everybody, and no secret. */
  write(path: string, content: string): void {
    const at = join(this.#root, path)
    mkdirSync(dirname(at), { recursive: true })
    writeFileSync(at, content, { mode: 0o644 })
  }

  /** The same below /run, which is memory of the system and lies in no tree. */
  runtime(path: string, content: string): void {
    const at = join(`/proc/${this.#leader}/root/run`, path)
    mkdirSync(dirname(at), { recursive: true })
    writeFileSync(at, content, { mode: 0o644 })
  }

  remove(path: string): void {
    rmSync(join(this.#root, path), { force: true })
  }

  /** By dpkg, which starts the services of the package. Throws with what dpkg said. */
  install(file: string): void {
    copyFileSync(file, join(this.#root, 'root', basename(file)))
    this.ask('dpkg', '--install', `/root/${basename(file)}`)
  }

  async stop(): Promise<void> {
    if (this.#leader !== 0 && isRunning(this.#child)) {
      process.kill(this.#leader, POWER_OFF)
      const deadline = performance.now() + POWER_OFF_MS
      while (isRunning(this.#child) && performance.now() < deadline) await sleep(50)
    }
    if (isRunning(this.#child)) this.#child.kill('SIGKILL')
    this.#group.end()
    rmSync(this.#root, { recursive: true, force: true })
    rmSync(consoleOf(this.#root), { force: true })
  }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null

const consoleOf = (root: string): string => `${root}.console`

function launch(root: string, name: string, group: ControlGroup): ChildProcess {
  const options = [
    `--directory=${root}`,
    `--machine=${name}`,
    '--boot',
    '--private-network',
    // Neither a manager of this machine's own nor its unit is asked for: there may be none.
    '--register=no',
    '--keep-unit',
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    '--console=pipe',
  ]
  // It shall not outlive a test that was killed.
  const command = ['setpriv', '--pdeathsig', 'KILL', '--', 'systemd-nspawn', ...options]
  const console = openSync(consoleOf(root), 'w')
  const child = spawn('sh', ['-c', `echo $$ > ${group.processes} && exec "$@"`, 'sh', ...command], {
    stdio: ['ignore', console, console],
    env: { ...ENVIRONMENT, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
  })
  closeSync(console)
  return child
}

/** The first process of the container, by its number here; 0 while there is none. */
function leaderOf(pid: number | undefined): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    return Number(children.find((each) => readFileSync(`/proc/${each}/comm`, 'utf8') === 'systemd\n') ?? 0)
  } catch {
    return 0
  }
}
