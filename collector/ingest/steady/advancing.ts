import type { Device, DeviceState } from '../../model/device.ts'
import type { EvidenceRecord, EvidenceRun, Session } from '../../model/evidence.ts'
import type { SteadyDevice } from '../../store/steady/steady.ts'

/** A device on its way through the batch. */
export class Advancing {
  readonly device: Device
  readonly lastEpochOfOthers: number | null
  readonly ownReference: string | null
  state: DeviceState
  session: Session
  runs: readonly EvidenceRun[]
  recentHashes: Uint8Array
  lastReceiptAt: number | null
  /** One of its messages of this batch was taken here. */
  isTaken = false
  /** Something of it has to be written. */
  isMoved = false
  /** Its newest message, where that is one of these. */
  newest: EvidenceRecord | undefined
  /** First numbers of its runs that are longer now; those without an id are all new. */
  readonly longer = new Set<number>()
  /** Of the advance that has written it down; null where none has yet. */
  mark: number | null = null

  constructor(steady: SteadyDevice) {
    this.device = steady.device
    this.lastEpochOfOthers = steady.lastEpochOfOthers
    this.ownReference = steady.ownReference
    this.state = steady.state
    this.session = steady.session
    this.runs = steady.runs
    this.recentHashes = steady.recentHashes
    this.lastReceiptAt = steady.lastReceiptAt
  }

  /** As it stands. */
  get steady(): SteadyDevice {
    const { device, state, session, runs, recentHashes, lastReceiptAt, lastEpochOfOthers, ownReference } = this
    return { device, state, session, runs, recentHashes, lastReceiptAt, lastEpochOfOthers, ownReference }
  }
}
