import type { FindingCode } from '../../shared/codes/findings.ts'
import type { OutcomeCode } from '../../shared/codes/outcomes.ts'
import type { HashFunction } from '../../shared/crypto/crypto.ts'
import type { PostureMap } from '../../shared/evidence/claims.ts'
import type { AuthenticEvidence, DeviceKey, UnverifiedEvidence } from '../../shared/evidence/evidence.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import type { ImaPolicy } from '../../shared/ima/policy.ts'
import type { AttestationKey } from '../../shared/tpm/attestation-key.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { VerifiedQuote } from '../../shared/tpm/quote.ts'
import type { BootLog } from './boot-log.ts'
import type { BootCoverage, Device, DeviceState } from '../model/device.ts'
import type { ImaState } from '../model/ima-state.ts'
import type { Epoch, Session } from '../model/evidence.ts'
import type { Downtime } from '../liveness/downtime.ts'
import type { Recent } from '../recent.ts'
import type { Candidate, Measured, ReleaseJudgement } from '../releases/judge.ts'
import type { ReleaseConclusion } from './release-values.ts'

/** Everything about a device that the appraisal of one evidence needs to know, read beforehand. */
export interface KnownDevice {
  readonly device: Device
  readonly deviceKey: DeviceKey
  /** null for a device that was enrolled without a TPM. */
  readonly attestationKey: AttestationKey | null
  readonly state: DeviceState
  readonly links: KnownLinks
  /** The epoch whose nonce the evidence carries, if this collector has issued it. */
  readonly epoch: Epoch | undefined
  /** The posture map of the evidence: its own, or the one that is known by its digest. */
  readonly posture: PostureMap | undefined
  /** The PCR values that are known for the quote's pcrDigest. */
  readonly pcrs: PcrValues | undefined
  readonly approved: ApprovedValues | undefined
  /** What held when the epoch of the evidence began, where that is something else. */
  readonly approvedThen: ApprovedValues | undefined
  /** The releases of the product as they count now, and as they did when the epoch of the evidence began. */
  readonly releases: KnownReleases | undefined
  readonly releasesThen: KnownReleases | undefined
  /** A section of the posture, read. */
  readonly section: Measured['section']
  /** The firmware's log that the evidence names; `missing` until it has arrived. */
  readonly bootLog: BootLog | 'missing' | undefined
  /**
   * Content by digest in hexadecimal: what evidence and approved values name, as far as it has arrived. null: it has,
   * and nobody needs to look into it, as it is the approved one or nothing is approved.
   */
  readonly contents: ReadonlyMap<string, Uint8Array | null>
  /** What the files of the product may be; undefined where nobody has said so, or no list has to be judged. */
  readonly imaPolicy: ImaPolicy | undefined
  /** Open findings about the kernel's measurement list: what was measured in a boot stays measured. */
  readonly standingFindings: readonly Deviation[]
}

export interface KnownLinks {
  readonly session: Session | undefined
  /** What holds the same place (session, seq): its hash, or the first bytes of it. Undefined where nothing does. */
  readonly samePlace: Uint8Array | ForgottenMessage | undefined
  /** Hash of the message before, and what the message after says to follow, as far as they are held. */
  readonly hashBefore: Uint8Array | undefined
  readonly previousOfNext: Uint8Array | null | undefined
  /** Other sessions that had fresh evidence. */
  readonly freshSessions: readonly Session[]
  /** Number of the receipt that the first message of a session names; undefined for one that is not known. */
  readonly namedReceipt: number | undefined
}

/** A message that was counted, and of which nothing was kept: it was as its neighbours, whose newest epoch this is. */
export interface ForgottenMessage {
  readonly newestEpoch: number | null
}

export interface ApprovedValues {
  /** Names the reference values; values under one id never change. */
  readonly id: string
  readonly posture: PostureMap
  readonly pcrs: PcrValues | null
  /** Which events lead to the values, or may; null where no log proved them. */
  readonly bootReference: BootReference | null
  /** null where it was approved without a quote. */
  readonly tpmFirmwareVersion: bigint | null
  /** ms since 1970. */
  readonly approvedAt: number
}

/** What devices of a product are judged by, and what was found by it so far. */
export interface KnownReleases {
  readonly key: string
  readonly candidates: readonly Candidate[]
  readonly judged: Recent<ReleaseJudgement>
}

export interface AppraisalPolicy {
  /** How long after its issue an epoch makes evidence fresh. */
  readonly freshnessWindowMs: number
  /** By how much the collector's own downtime extends that window at most, and when it was down. */
  readonly maxExtensionMs: number
  readonly downtime: Downtime
  readonly collectorId: Uint8Array
}

/** One way in which a device is not as approved. */
export interface Deviation {
  readonly code: FindingCode
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
}

export type Freshness = 'fresh' | 'late' | 'unknown-epoch'

/** What the collector lacks to conclude, to be asked for. */
export interface Missing {
  posture: boolean
  pcrs: boolean
  readonly contents: Uint8Array[]
  /** The measurement list from this entry on. */
  ima: number | null
}

/** The evidence on its way through the steps. Later steps rely on what earlier ones have put here. */
export class AppraisalContext {
  readonly topicUeid: Ueid
  readonly unverified: UnverifiedEvidence
  readonly hashOfMessage: Uint8Array
  readonly known: KnownDevice
  readonly policy: AppraisalPolicy
  readonly receivedAt: number
  readonly hash: HashFunction

  /** Set by the signature step. */
  authentic: AuthenticEvidence | undefined
  /** The very same message is held already. */
  duplicate = false
  freshness: Freshness = 'unknown-epoch'
  /** Fresh only because the collector's own downtime extended the window. */
  freshnessExtended = false
  /** Fresh, and later than everything fresh before: the only evidence that can improve a verdict. */
  newest = false
  quote: VerifiedQuote | undefined
  bootCoverage: BootCoverage = 'none'
  /** The firmware's log, once the quoted values have proven it. Absent where none was sent, or it was refused. */
  bootLog: ReplayedLog | undefined
  /** What the quote says of the boot could not be compared with what was approved: the log has not arrived. */
  bootUndecided = false
  /** Values differ, and no log tells whether the events that were found before still do. */
  eventsUndecided = false
  /** What the boot section asserts was held against a proven log. */
  crossChecked = false
  /** What is known of the measurement list from now on; undefined: what was known before. */
  imaState: ImaState | null | undefined
  /** All that was measured until the quote is verified. */
  imaIsCurrent = false
  /** It was verified from its start, in another boot than the last one. */
  imaFromStart = false
  /** Digests (hexadecimal) of lists that nobody will look into again. */
  readonly spentLists: string[] = []
  /** null where the product has no releases. */
  release: ReleaseConclusion | null = null
  /** Sections that could be compared with approved ones. */
  readonly decidedSections = new Set<string>()
  readonly deviations: Deviation[] = []
  /** Why nothing can be concluded. Anything here keeps the verdict from being affirming. */
  readonly obstacles: OutcomeCode[] = []
  readonly missing: Missing = { posture: false, pcrs: false, contents: [], ima: null }
  readonly notes: { namedReceipt: number | null } = { namedReceipt: null }

  constructor(input: {
    topicUeid: Ueid
    unverified: UnverifiedEvidence
    hashOfMessage: Uint8Array
    known: KnownDevice
    policy: AppraisalPolicy
    receivedAt: number
    hash: HashFunction
  }) {
    this.topicUeid = input.topicUeid
    this.unverified = input.unverified
    this.hashOfMessage = input.hashOfMessage
    this.known = input.known
    this.policy = input.policy
    this.receivedAt = input.receivedAt
    this.hash = input.hash
  }
}
