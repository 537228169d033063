import { cpus, loadavg, release, totalmem } from 'node:os'

/** Where and when figures were measured: without it they mean nothing. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryMib: number
  readonly kernel: string
  readonly node: string
  readonly date: string
  /** Of the last minute: what else the machine was doing. */
  readonly load: number
}

export function thisMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryMib: Math.round(totalmem() / 1024 / 1024),
    kernel: release(),
    node: process.version,
    date: new Date().toISOString(),
    load: loadavg()[0] ?? 0,
  }
}
