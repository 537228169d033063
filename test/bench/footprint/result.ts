import type { Memory } from '../running-agent.ts'
import type { WireCount } from './wire.ts'

/** What ./apart.ts answers. */
export interface ApartResult {
  readonly steady: Steady
  readonly rest: Rest
  readonly narrowBand: NarrowBand
  /** The same where the kernel puts no timestamps into TCP's headers. */
  readonly withoutTimestamps: NarrowBand
}

export interface Steady {
  readonly cycles: number
  readonly startCpuMs: number
  readonly agentCpuMsPerCycle: number
  /** Of the privileged helper, which systemd starts for each answer. */
  readonly helperCpuMsPerCycle: number
  readonly wire: WireCount
}

export interface Rest extends Memory {
  readonly cpuMsPerMinute: number
}

export interface NarrowBand {
  readonly visits: number
  readonly wire: WireCount
}
