import type { Memory } from '../running-agent.ts'
import type { WireCount } from './wire.ts'

/** As shipped. */
export const INTERVAL_SECONDS = 300

/** What ./apart.ts answers. */
export interface ApartResult {
  readonly steady: Steady
  readonly narrowBand: NarrowBand
}

export interface Steady extends Memory {
  readonly cycles: number
  readonly startCpuMs: number
  readonly agentCpuMsPerCycle: number
  /** Of the privileged helper, which systemd starts for each answer. */
  readonly helperCpuMsPerCycle: number
  readonly wire: WireCount
}

export interface NarrowBand {
  readonly visits: number
  readonly wire: WireCount
}
