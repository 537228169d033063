import { expect, vi } from 'vitest'
import type { LiveSystem } from './live-system.ts'

/** What of /proc/PID/status says which privileges a process has. */
export interface Privileges {
  readonly users: readonly number[]
  readonly effective: bigint
  readonly bounding: bigint
  readonly noNewPrivileges: boolean
  /** 2: by a filter. */
  readonly seccomp: number
}

/** A unit of a live system. */
export class LiveUnit {
  readonly #system: LiveSystem
  readonly name: string

  constructor(system: LiveSystem, name: string) {
    this.#system = system
    this.name = name
  }

  /** Of `systemctl show`. */
  show<Property extends string>(...properties: readonly Property[]): Readonly<Record<Property, string>> {
    const lines = this.#system.ask('systemctl', 'show', this.name, '--property', properties.join(',')).split('\n')
    return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2))) as Record<Property, string>
  }

  /** Number of the main process within the system; 0 without one. */
  get pid(): number {
    return Number(this.show('MainPID').MainPID)
  }

  get restarts(): number {
    return Number(this.show('NRestarts').NRestarts)
  }

  /** What was logged by it and about it; the name may be a pattern. */
  journal(): string {
    return this.#system.ask('journalctl', '--no-pager', '--output', 'cat', '--unit', this.name)
  }

  /** Settings beside those of the package, from its next start on. */
  dropIn(name: string, ...settings: readonly string[]): void {
    this.#system.runtime(`systemd/system/${this.name}.d/${name}.conf`, `[Service]\n${settings.join('\n')}\n`)
    this.#system.ask('systemctl', 'daemon-reload')
  }

  do(verb: 'start' | 'stop' | 'restart'): void {
    this.#system.ask('systemctl', verb, this.name)
  }

  /** To its main process alone. */
  signal(signal: NodeJS.Signals): void {
    this.#system.ask('systemctl', 'kill', '--kill-whom=main', `--signal=${signal}`, this.name)
  }

  /** Active again, by a process that is not this one. */
  async restartedAfter(pid: number, timeoutMs = 40_000): Promise<void> {
    const started = (): void => {
      const { ActiveState, MainPID } = this.show('ActiveState', 'MainPID')
      expect([ActiveState, MainPID !== '0' && MainPID !== String(pid)]).toEqual(['active', true])
    }
    await vi.waitFor(started, { timeout: timeoutMs, interval: 250 })
  }

  get privileges(): Privileges {
    return privilegesOf(this.#system, this.pid)
  }
}

export function privilegesOf(system: LiveSystem, pid: number): Privileges {
  const status = system.ask('cat', `/proc/${pid}/status`)
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
  return {
    users: field('Uid').split('\t').map(Number),
    effective: BigInt(`0x${field('CapEff')}`),
    bounding: BigInt(`0x${field('CapBnd')}`),
    noNewPrivileges: field('NoNewPrivs') === '1',
    seccomp: Number(field('Seccomp')),
  }
}

/** What a program says that may not do what it tries, and the signal of a filter that ends one. */
export const DENIED =
  /EPERM|EACCES|EROFS|Operation not permitted|Permission denied|Read-only file system|status=31\/SYS/
