import { readFileSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../vm/run.ts'

/** Podman with images, containers, volumes and networks in a directory of its own, and nothing of the machine's. */
export class Engine {
  readonly directory: string
  readonly environment: NodeJS.ProcessEnv

  /** `directory`: of one that was created. */
  constructor(directory: string) {
    this.directory = directory
    this.environment = {
      ...process.env,
      CONTAINERS_CONF: join(directory, 'containers.conf'),
      CONTAINERS_STORAGE_CONF: join(directory, 'storage.conf'),
      // Where there is no systemd and no user's session, a build shares the namespaces of its caller.
      BUILDAH_ISOLATION: 'chroot',
    }
  }

  static create(): Engine {
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-engine-'))
    const at = (...path: readonly string[]): string => join(directory, ...path)
    mkdirSync(at('networks'))
    writeFileSync(at('containers.conf'), engineSettings(at))
    writeFileSync(
      at('storage.conf'),
      `[storage]\ndriver = "overlay"\ngraphroot = "${at('images')}"\nrunroot = "${at('run')}"\n`,
    )
    return new Engine(directory)
  }

  /** Answers with what podman has printed. Throws where it fails. */
  podman(...words: readonly string[]): string {
    return run('podman', words, { env: this.environment }).trim()
  }

  /** A file system as an image. `changes`: lines of a Containerfile. */
  import(root: string, name: string, changes: readonly string[]): void {
    const archive = join(this.directory, 'import.tar')
    run('tar', ['-C', root, '-cf', archive, '.'])
    this.podman('import', '--quiet', ...changes.flatMap((line) => ['--change', line]), archive, name)
    rmSync(archive)
  }

  build(context: string, file: string, name: string): void {
    // The image's own check is lost in OCI's format.
    const options = ['--quiet', '--format', 'docker', '--network', 'host', '--pull-never']
    this.podman('build', ...options, '-f', file, '-t', name, context)
  }

  /** Asks a container itself, as its image or its set says. There is no timer of systemd here that would do it. */
  async becomesHealthy(id: string, seconds = 60): Promise<void> {
    const end = Date.now() + seconds * 1000
    for (;;) {
      try {
        this.podman('healthcheck', 'run', id)
        return
      } catch (error) {
        if (Date.now() > end)
          throw new Error(`not healthy: ${this.podman('logs', '--tail', '40', id)}`, { cause: error })
      }
      await sleep(500)
    }
  }

  /** Ends and removes every container, volume and network of this directory. */
  clear(): void {
    for (const id of lines(this.podman('ps', '--all', '--quiet', '--no-trunc'))) {
      this.podman('rm', '--force', '--time', '0', id)
    }
    for (const name of lines(this.podman('volume', 'ls', '--quiet'))) this.podman('volume', 'rm', name)
    for (const name of lines(this.podman('network', 'ls', '--format', '{{.Name}}'))) {
      if (name !== 'podman') this.podman('network', 'rm', name)
    }
  }

  /** Leaves nothing behind. */
  remove(): void {
    this.clear()
    const mounted = lines(readFileSync('/proc/self/mounts', 'utf8'))
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${this.directory}/`))
    for (const path of mounted.reverse()) run('umount', [path])
    rmSync(this.directory, { recursive: true, force: true })
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/**
 * The limits are said because podman's own are higher than a machine may have that is a guest itself. runc, and locks in
 * files, so that two directories have nothing in common.
 */
const engineSettings = (at: (...path: readonly string[]) => string): string => `[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "${at('libpod')}"
[network]
network_backend = "netavark"
network_config_dir = "${at('networks')}"
`
