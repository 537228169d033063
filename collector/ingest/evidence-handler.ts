import { findings as findingCodes } from '../../shared/codes/findings.ts'
import { encodeCbor } from '../../shared/cbor/codec.ts'
import { hash, sha256 } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { ContentRequest } from '../../shared/evidence/down.ts'
import { decodeEvidence, type UnverifiedEvidence } from '../../shared/evidence/evidence.ts'
import type { UpstreamTopic } from '../../shared/evidence/topics.ts'
import { REPORT_INTERVAL } from '../../shared/evidence/state.ts'
import { pcrValuesToCbor } from '../../shared/evidence/tpm-evidence.ts'
import { appraise, type Appraisal } from '../appraisal/appraise.ts'
import type { AppraisalPolicy, Deviation, KnownDevice } from '../appraisal/context.ts'
import type { Device } from '../model/device.ts'
import type { Session } from '../model/evidence.ts'
import type { Finding } from '../model/finding.ts'
import type { Store } from '../store/index.ts'
import type { CaseDependencies } from '../tracking/cases/open.ts'
import { noteAnswer } from '../tracking/challenges/ask.ts'
import { conclude } from '../tracking/conclude.ts'
import { verdictChanged } from '../tracking/events.ts'
import { hysteresisBy } from '../tracking/measured.ts'
import { recordFindings } from '../tracking/record-findings.ts'
import { byEvidence, transitionsBetween } from '../tracking/transitions.ts'
import { remember, type HistoryPolicy } from './history.ts'
import { loadKnownDevice, type Caches, type LoadedDevice } from './known-devices.ts'
import type { RememberedDevices } from './steady/remembered-devices.ts'
import type { SharedKnowledgeCache } from './steady/shared-knowledge.ts'
import type { Proofs } from './verify/proof.ts'
import { removeSpentLists } from './spent-lists.ts'
import { recordOf, sessionWith } from './counted.ts'

export interface EvidenceDependencies extends Caches, CaseDependencies {
  readonly shared: SharedKnowledgeCache
  readonly remembered: RememberedDevices
  readonly history: HistoryPolicy
  readonly policy: AppraisalPolicy
}

export interface ReceivedMessage {
  readonly topic: string
  readonly bytes: Uint8Array
  /** ms since 1970 by the collector's clock, taken on arrival. */
  readonly receivedAt: number
  /** Of its signatures, where they were checked ahead. */
  readonly proofs?: Proofs
}

/** What became of a message, after it was stored: for metrics, for the log and for the answer to the device. */
export interface Handled {
  readonly device: Device | null
  readonly hash: Uint8Array
  readonly result: 'accepted' | 'duplicate' | 'refused' | 'reconsidered'
  /** Outcome or finding code; null where nothing stands against the device. */
  readonly code: string | null
  readonly detail: string
  readonly session: Session | null
  /** Its place in the session; null where that is unknown or was not asked. */
  readonly sequence: number | null
  readonly request: ContentRequest | null
  /** Something about the device changed, or the device waits for it: worth a receipt at once. */
  readonly urgent: boolean
  readonly appraisal: Appraisal | null
  /** What it was appraised by, where that may serve others; it holds once the transaction is committed. */
  readonly known: KnownDevice | null
}

/** Refuses a message for good: recorded, counted, answered. */
export async function refuse(
  store: Store,
  message: ReceivedMessage,
  device: Device | null,
  error: { readonly code: string; readonly message: string },
): Promise<Handled> {
  const digest = sha256(message.bytes)
  await store.refusals.insert({
    // A topic that no device has is anybody's invention: those share one place, or each would take room of its own.
    ueid: device?.ueid ?? null,
    topic: message.topic.slice(0, 256),
    code: error.code,
    hash: digest,
    receivedAt: message.receivedAt,
    bytes: message.bytes.subarray(0, 65_536),
  })
  const nothing = { session: null, sequence: null, request: null, appraisal: null, known: null, urgent: true } as const
  return { device, hash: digest, result: 'refused', code: error.code, detail: error.message, ...nothing }
}

/** From received bytes to stored conclusions. Runs within the caller's transaction. */
export async function handleEvidence(
  store: Store,
  message: ReceivedMessage,
  topic: UpstreamTopic,
  deps: EvidenceDependencies,
): Promise<Handled> {
  const device = (await store.devices.byUeid(topic.ueid)) ?? null
  let unverified: UnverifiedEvidence
  try {
    unverified = decodeEvidence(message.bytes)
    if (device === null) throw new OutcomeError('identity.unknown-device', topic.ueid)
  } catch (error) {
    if (error instanceof OutcomeError) return refuse(store, message, device, error)
    throw error
  }
  const { receivedAt } = message
  const known = await loadKnownDevice(store, deps, device, unverified, receivedAt, message.proofs)
  const digest = sha256(message.bytes)
  const input = {
    topicUeid: topic.ueid,
    unverified,
    hashOfMessage: digest,
    known,
    policy: deps.policy,
    receivedAt,
    hash,
  }
  const decision = appraise(input)
  if (decision.kind === 'refused') {
    await noteDeviations(store, device, decision.deviations, digest, receivedAt, deps)
    return refuse(store, message, device, { code: decision.code, message: decision.detail })
  }
  if (decision.kind === 'duplicate') {
    const session = known.links.session ?? null
    const nothing = { request: null, appraisal: null, known: null, code: null, detail: 'held already' } as const
    const { sequence } = unverified.claims
    return { device, hash: digest, result: 'duplicate', session, sequence, urgent: true, ...nothing }
  }
  return accept(store, known, decision, receivedAt, deps)
}

async function accept(
  store: Store,
  known: LoadedDevice,
  appraisal: Appraisal,
  receivedAt: number,
  deps: EvidenceDependencies,
): Promise<Handled> {
  const { device } = known
  const { claims } = appraisal.evidence
  const session = sessionWith(device, known.links.session, appraisal, receivedAt)
  if (session === undefined) throw new OutcomeError('message.rate-limited', 'too many gaps in the session')
  const record = recordOf(device, appraisal, receivedAt)
  await store.sessions.save(session)
  if (claims.posture !== null) await store.postures.save(device.vendor, claims.postureDigest, claims.posture)
  if (appraisal.pcrs !== null && appraisal.pcrDigest !== null) {
    await store.pcrSets.save(
      device.vendor,
      appraisal.pcrDigest,
      encodeCbor(pcrValuesToCbor(appraisal.pcrs)),
      receivedAt,
    )
  }
  const changed = await track(store, known, appraisal, receivedAt, deps)
  const { missing } = appraisal
  const lacks = missing.posture || missing.pcrs || missing.contents.length > 0 || missing.ima !== null
  // Somebody waits for it, and will want to see it.
  const isAsked = claims.challenge !== null
  const tells = { isNewest: appraisal.newest, isTelling: changed || lacks || isAsked || claims.posture !== null }
  await remember(store, record, known.runBefore, tells, deps.history)
  return {
    device,
    hash: appraisal.hashOfMessage,
    result: 'accepted',
    code: appraisal.code,
    detail: appraisal.failure?.detail ?? '',
    session,
    sequence: claims.sequence,
    request: lacks ? { ...missing } : null,
    urgent: changed || isAsked || claims.posture !== null || claims.sequence === 0 || waitsForReceipt(appraisal),
    appraisal,
    known,
  }
}

/** What comes late is sent again until it has one; and who comes for a report alone stays until he has it. */
export const waitsForReceipt = ({ freshness, evidence }: Appraisal): boolean =>
  freshness !== 'fresh' || evidence.claims.state.has(REPORT_INTERVAL)

/**
 * Stores what was concluded. True when the verdict or the findings of the device are others than before. `judgedAt`:
 * where evidence that is long known was compared anew.
 */
export async function track(
  store: Store,
  known: KnownDevice,
  appraisal: Appraisal,
  receivedAt: number,
  deps: EvidenceDependencies,
  judgedAt?: number,
): Promise<boolean> {
  const now = judgedAt ?? receivedAt
  const { device, state, epoch } = known
  const { newest, deviations } = appraisal
  const open = newest
    ? await store.findings.trackedOf(device.id)
    : await store.findings.unresolvedSince(device.id, epoch?.issuedAt ?? 0)
  const isTouched = deviations.length > 0 || open.length > 0
  const policies = isTouched ? await store.findingPolicies.ofProduct(device.productId) : new Map()
  const told = newest ? undefined : await store.findingTransitions.valuesOf(open.map(({ id }) => id))
  const conclusion = conclude(state, open, appraisal, {
    receivedAt,
    epochIssuedAt: epoch?.issuedAt ?? null,
    ...(judgedAt === undefined ? {} : { judgedAt }),
    hysteresisOf: hysteresisBy(policies),
    told,
  })
  await store.devices.saveState(device.id, conclusion.state)
  const moved = { at: now, cause: byEvidence(conclusion.state.verdictCode) }
  await store.transitions.append(transitionsBetween(device.id, state, conclusion.state, moved))
  const verdict = verdictChanged(device, state, conclusion.state, now)
  if (verdict !== undefined) await store.notifications.add(verdict)
  if (judgedAt === undefined) await noteAnswer(store, device, appraisal, receivedAt)
  await removeSpentLists(store, device.vendor, appraisal.ima.spentLists)
  const cause = judgedAt !== undefined ? 'release' : newest ? 'evidence' : 'late-evidence'
  const about = {
    store,
    device,
    evidenceHash: appraisal.hashOfMessage,
    now,
    deps,
    cause,
    policies,
  } as const
  await recordFindings(about, open, conclusion)
  const { opened, left, seen } = conclusion
  const isMoved = opened.length + left.length > 0 || seen.some(({ id, state: next }) => stateOf(open, id) !== next)
  return isMoved || conclusion.state.verdict !== state.verdict
}

const stateOf = (findings: readonly Finding[], id: string) => findings.find((finding) => finding.id === id)?.state

/** A refused message can still say something about the device: a second content for one place means a clone. */
async function noteDeviations(
  store: Store,
  device: Device,
  deviations: readonly Deviation[],
  evidenceHash: Uint8Array,
  now: number,
  deps: EvidenceDependencies,
): Promise<void> {
  if (deviations.length === 0) return
  const open = await store.findings.trackedOf(device.id)
  const policies = await store.findingPolicies.ofProduct(device.productId)
  const about = { store, device, evidenceHash, now, deps, cause: 'evidence', policies } as const
  const nothing = { left: [], leaving: [], faded: [] }
  const found = { state: 'open', hysteresis: null } as const
  const knownOf = ({ code, subject }: Deviation) => open.find((each) => each.code === code && each.subject === subject)
  await recordFindings(about, open, {
    ...nothing,
    seen: deviations.flatMap((deviation) => {
      const finding = knownOf(deviation)
      return finding === undefined ? [] : [{ id: finding.id, after: deviation.after, ...found }]
    }),
    opened: deviations
      .filter((deviation) => knownOf(deviation) === undefined)
      .map((deviation) => ({ ...deviation, ...found, openedAt: now })),
  })
  const state = await store.devices.stateOf(device.id)
  const [cause] = deviations
  if (cause === undefined || findingCodes[cause.code].axis !== 'integrity') return
  const failed = { ...state, latch: 'failed', verdict: 'contraindicated', verdictCode: cause.code } as const
  await store.devices.saveState(device.id, failed)
  const times = { at: now, cause: byEvidence(cause.code) }
  await store.transitions.append(transitionsBetween(device.id, state, failed, times))
}
