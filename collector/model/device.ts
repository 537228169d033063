import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { ImaState } from './ima-state.ts'
import { noDeviceRelease, type DeviceRelease } from './release.ts'

/** The axes of a device's state. Each has its own column; pages may group them, storage never merges them. */
export type Enrolment = 'pending' | 'active' | 'revoked'
export type Identity = 'tpm-endorsed' | 'tpm-tofu' | 'software'
export type BootCoverage = 'measured' | 'partial' | 'none'
export type Verdict = 'affirming' | 'warning' | 'contraindicated' | 'not-appraised'
export type Latch = 'none' | 'failed' | 'recovered-unacknowledged'
export type Liveness = 'never-seen' | 'fresh' | 'stale' | 'silent'

/** Who a device is: fixed at enrolment, changed only by a privileged re-enrolment. Times in ms since 1970. */
export interface Device {
  /** Database key, never shown. */
  readonly id: number
  readonly ueid: Ueid
  readonly productId: string
  readonly vendor: string
  readonly model: string
  readonly hardwareRevision: string
  readonly serial: string
  readonly enrolment: Enrolment
  readonly identity: Identity
  /** Raw Ed25519 public key (32 bytes) and the thumbprint of its COSE_Key. */
  readonly deviceKey: Uint8Array
  readonly deviceKeyThumbprint: Uint8Array
  /** SHA-256 of the SubjectPublicKeyInfo in the current MQTT client certificate. */
  readonly tlsKeyHash: Uint8Array
  readonly certificateNotAfter: number
  readonly tpm: DeviceTpm | null
  readonly enrolledAt: number
  readonly revokedAt: number | null
}

export interface DeviceTpm {
  /** Name (nameAlg || digest) of the endorsement key: the identity of the chip. */
  readonly ekName: Uint8Array
  /** DER, when the TPM or the operator gave one. */
  readonly ekCertificate: Uint8Array | null
  /** TPMT_PUBLIC of the attestation key, and its name. */
  readonly akPublic: Uint8Array
  readonly akName: Uint8Array
}

/**
 * What the collector last concluded about a device: one narrow row that every report updates. `null` means "not
 * known yet", never "good".
 */
export interface DeviceState {
  readonly verdict: Verdict
  /** Code of the first thing that stands against `affirming`; null when affirming. */
  readonly verdictCode: string | null
  readonly latch: Latch
  /** As it was told last: fresh evidence sets it at once, deadlines that pass are told by the watch. */
  readonly liveness: Liveness
  readonly bootCoverage: BootCoverage
  readonly lastReceivedAt: number | null
  /** Issue time of the epoch of the newest fresh evidence, and when that arrived. */
  readonly lastFreshAt: number | null
  readonly lastFreshEpoch: number | null
  /** It was fresh only because the window was extended by the collector's own downtime. */
  readonly freshExtended: boolean
  /** Session (16 bytes) of the newest fresh evidence: the running agent. */
  readonly freshSession: Uint8Array | null
  readonly freshSequence: number | null
  /** SHA-256 over the posture map, and the digest over the PCR values, of the newest fresh evidence. */
  readonly postureDigest: Uint8Array | null
  readonly pcrDigest: Uint8Array | null
  /** As pcrDigest, without PCR 10: what was booted, and not what has run since. */
  readonly bootDigest: Uint8Array | null
  /** The boot log or the PCR values that evidence names are not here. */
  readonly bootAwaited: BootAwaited | null
  readonly tpmClock: TpmClock | null
  /** Kernel boot id of the newest fresh evidence. */
  readonly bootSeed: Uint8Array | null
  /** null: no measurement list of the kernel was ever sent. */
  readonly ima: ImaState | null
  readonly release: DeviceRelease
  /** Highest number among the receipts that the device has named. */
  readonly namedReceipt: number
  readonly lastReceiptNumber: number
  readonly agentVersion: string | null
  /** Seconds, one of `COUNTED_INTERVALS`: how often the agent says that it reports. null: as often as is usual. */
  readonly reportInterval: number | null
}

/** Since when (ms), and how many fresh reports in a row. Each of them was answered by a request. */
export interface BootAwaited {
  readonly since: number
  readonly reports: number
}

/** TPMS_CLOCK_INFO of the newest fresh quote, with the verifier's time of its arrival. */
export interface TpmClock {
  readonly clockMs: bigint
  readonly resetCount: number
  readonly restartCount: number
  readonly observedAt: number
}

export const initialDeviceState: DeviceState = {
  verdict: 'not-appraised',
  verdictCode: null,
  latch: 'none',
  liveness: 'never-seen',
  bootCoverage: 'none',
  lastReceivedAt: null,
  lastFreshAt: null,
  lastFreshEpoch: null,
  freshExtended: false,
  freshSession: null,
  freshSequence: null,
  postureDigest: null,
  pcrDigest: null,
  bootDigest: null,
  bootAwaited: null,
  tpmClock: null,
  bootSeed: null,
  ima: null,
  release: noDeviceRelease,
  namedReceipt: 0,
  lastReceiptNumber: 0,
  agentVersion: null,
  reportInterval: null,
}

/** The device is sent this receipt. */
export const withReceipt = (state: DeviceState, lastReceiptNumber: number): DeviceState => ({
  verdict: state.verdict,
  verdictCode: state.verdictCode,
  latch: state.latch,
  liveness: state.liveness,
  bootCoverage: state.bootCoverage,
  lastReceivedAt: state.lastReceivedAt,
  lastFreshAt: state.lastFreshAt,
  lastFreshEpoch: state.lastFreshEpoch,
  freshExtended: state.freshExtended,
  freshSession: state.freshSession,
  freshSequence: state.freshSequence,
  postureDigest: state.postureDigest,
  pcrDigest: state.pcrDigest,
  bootDigest: state.bootDigest,
  bootAwaited: state.bootAwaited,
  tpmClock: state.tpmClock,
  bootSeed: state.bootSeed,
  ima: state.ima,
  release: state.release,
  namedReceipt: state.namedReceipt,
  lastReceiptNumber,
  agentVersion: state.agentVersion,
  reportInterval: state.reportInterval,
})
