import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { Log } from '../log.ts'
import type { TimelyHelper } from '../measure/client/timely-helper.ts'
import type { Unsent } from '../outbox/open.ts'
import type { Host } from '../sensors/host.ts'
import type { SocketSampler } from '../sensors/sockets/sampler.ts'
import type { Identity } from '../state/identity.ts'
import type { ProgressFile } from '../state/progress.ts'
import type { ShownResult } from './known-result.ts'
import type { QuoteFunction } from './make-evidence.ts'

export interface AgentOptions {
  readonly identity: Identity
  readonly progress: ProgressFile
  readonly unsent: Unsent
  readonly host: Host
  /** Counts what listens between two measurements. */
  readonly sampler: SocketSampler
  /** How often it was started before in this boot; null where that is not known. */
  readonly restarts: number | null
  /** null for a device that was enrolled without a TPM. */
  readonly quote: QuoteFunction | null
  /** Sees what the agent may not. */
  readonly helper: TimelyHelper
  /** The firmware's event log, or null where there is none to read now. */
  readonly firmwareLog: () => Promise<Uint8Array | null>
  /** The kernel's measurement list (IMA) as it is now, or null where there is none to read. */
  readonly measurementList: () => Promise<Uint8Array | null>
  /** Seconds between reports, where that is to be told: less often than is usual, or without staying connected. */
  readonly statedInterval: number | null
  readonly resendSeconds: number
  readonly backlogPerSecond: number
  readonly log: Log
  /** Seconds since 1970, by the agent's best knowledge. */
  readonly now: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number
  readonly random: RandomFunction
}

export type DownKind = 'receipt' | 'request' | 'challenge' | 'result' | 'ignored'

/** What `keepseal-agent status` tells about a running agent. */
export interface AgentStatus {
  readonly connected: boolean
  readonly lastMeasurementAt: number | null
  readonly lastReceiptAt: number | null
  readonly epoch: number | null
  readonly problem: string | null
  readonly result: ShownResult | null
}

/** Before anything has happened in a run. */
export const BEFORE_ALL: Omit<AgentStatus, 'epoch' | 'result'> = {
  connected: false,
  lastMeasurementAt: null,
  lastReceiptAt: null,
  problem: null,
}
