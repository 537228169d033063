import { equal } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import { decodeBootReference } from '../../shared/eventlog/reference/encoding.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Device, DeviceState } from '../model/device.ts'
import type { EvidenceRecord } from '../model/evidence.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import {
  conformsTo,
  isProvenReport,
  newestEvidence,
  proposeFrom,
  reportedBoot,
  saveBootReference,
  type ProvenReport,
  type ReportedBoot,
} from './boot-baseline.ts'
import { approveReleased, isReleased } from './approve-released.ts'
import { resolveFindings } from './record-findings.ts'
import { isAcceptable, reviewOf, stateBefore } from './review.ts'
import { recordEnrolment, transitionsBetween } from './transitions.ts'

/** Whom the approved values are for: the device alone, or each device of its product. */
export type ApprovalScope = 'device' | 'product'

export interface ApprovalRequest {
  readonly ueid: Ueid
  readonly scope: ApprovalScope
  /** Id of the API token, or another name for who decides. */
  readonly actor: string
  readonly now: number
  readonly random: RandomFunction
  /** What the person has seen, when he wants to approve exactly that. */
  readonly expectedPostureDigest?: Uint8Array | undefined
  /** `reviewOf` what the person has seen: refuse when it is something else by now. */
  readonly expectedReview?: string | undefined
  /**
   * Further devices of the product whose boots are good too: what differs between all of them may vary. For the scope
   * `product` alone. `rules`: digest of the proposal that was looked at.
   */
  readonly golden?: { readonly ueids: readonly Ueid[]; readonly rules: Uint8Array }
  /** Whether a latched failure is released only for what was seen. */
  readonly reviewed?: boolean
}

export interface Approval {
  /** Whether it was pending before. */
  readonly activated: boolean
  /** The new reference values; null for a pending device that has reported nothing to take them from. */
  readonly referenceId: string | null
  readonly resolvedFindings: readonly string[]
  /** Why there are no new reference values. */
  readonly withoutBaseline: string | null
}

/**
 * A person accepts a device, and what it reports now: `unreviewed` reference values, which support no certificate by
 * themselves. Findings are resolved and a latched failure is released; both stay in the audit log.
 * Errors: request.not-found, request.conflict with the reason; then nothing was changed.
 */
export function approveDevice(store: Store, request: ApprovalRequest): Promise<Approval> {
  return store.transaction(async (transaction) => {
    const device = await existing(transaction, request.ueid)
    if (device.enrolment === 'revoked') {
      throw conflict('it is revoked', `keepseal token create --reenrol ${device.ueid}`)
    }
    const activated = device.enrolment === 'pending'
    const state = await transaction.devices.stateOf(device.id)
    await assertReviewed(transaction, device, state, request)
    if (await isReleased(transaction, device.productId)) return approveReleased(transaction, device, state, request)
    const baseline = await baselineOf(transaction, device, state, request)
    const mayLack = activated && request.expectedPostureDigest === undefined
    if (typeof baseline === 'string' && !mayLack) throw conflict(baseline)

    if (activated) await transaction.devices.updateEnrolment(device.id, 'active', request.now)
    const { now: at, actor: cause } = request
    await recordEnrolment(transaction, device.id, { from: device.enrolment, to: 'active', at, cause })
    const accepted = typeof baseline === 'string' ? null : await accept(transaction, device, state, baseline, request)
    const approval: Approval = {
      activated,
      referenceId: accepted?.referenceId ?? null,
      resolvedFindings: accepted?.resolvedFindings ?? [],
      withoutBaseline: typeof baseline === 'string' ? baseline : null,
    }
    await transaction.auditLog.append({
      at: request.now,
      actor: request.actor,
      action: 'device.approve',
      subject: device.ueid,
      detail: { scope: request.scope, ...approval, ...stateBefore(state) },
    })
    return approval
  })
}

/**
 * Takes a device out of service: its evidence is refused from now on. Revoking twice changes nothing.
 * Error: request.not-found.
 */
export function revokeDevice(
  store: Store,
  { ueid, actor, now }: Pick<ApprovalRequest, 'ueid' | 'actor' | 'now'>,
): Promise<void> {
  return store.transaction(async (transaction) => {
    const device = await existing(transaction, ueid)
    if (device.enrolment === 'revoked') return
    await transaction.devices.updateEnrolment(device.id, 'revoked', now)
    await recordEnrolment(transaction, device.id, { from: device.enrolment, to: 'revoked', at: now, cause: actor })
    // Nobody waits for evidence of it any more.
    const waiting = (await transaction.findings.openOf(device.id)).filter(({ code }) => !isAcceptable(code))
    await resolveFindings(transaction, waiting, { actor, now })
    const detail = { previousEnrolment: device.enrolment }
    await transaction.auditLog.append({ at: now, actor, action: 'device.revoke', subject: ueid, detail })
  })
}

/** Between a look at a device and its approval it may have booted something else: that must not become its baseline. */
async function assertReviewed(
  store: Store,
  device: Device,
  state: DeviceState,
  { expectedReview, reviewed = false }: ApprovalRequest,
): Promise<void> {
  const show = `keepseal device show ${device.ueid}`
  if (expectedReview === undefined) {
    if (reviewed && state.latch !== 'none') throw conflict('it has failed: say with --seen what was looked at', show)
    return
  }
  const review = reviewOf(state, await store.findings.openOf(device.id))
  if (review !== expectedReview) throw conflict('it is not as it was seen any more', show)
}

async function existing(store: Store, ueid: Ueid): Promise<Device> {
  const device = await store.devices.byUeid(ueid)
  if (device === undefined) throw new KeepsealError('request.not-found', `device ${ueid}`)
  return device
}

function conflict(reason: string, remedy?: string): KeepsealError {
  return new KeepsealError('request.conflict', reason, remedy === undefined ? {} : { remedy })
}

/**
 * The newest fresh evidence, when it can be a baseline, or what it still lacks. Evidence that failed by itself is no
 * matter of approval: the conflict is thrown.
 */
async function baselineOf(
  store: Store,
  device: Device,
  state: DeviceState,
  { expectedPostureDigest }: ApprovalRequest,
): Promise<EvidenceRecord | string> {
  if (state.freshSession === null) return 'it has sent no fresh evidence yet'
  const record = await newestEvidence(store, device.id, state)
  if (record === undefined) return 'its newest evidence is not kept'
  if (record.outcome !== null) throw conflict(`its newest evidence failed with ${record.outcome}`)
  if (device.tpm !== null && record.pcrDigest === null) throw conflict('its newest evidence has no valid quote')
  if (expectedPostureDigest !== undefined && !equal(expectedPostureDigest, record.postureDigest)) {
    throw conflict('it reports another posture by now', `keepseal device show ${device.ueid}`)
  }
  const missing = await missingContent(store, device.vendor, record)
  return missing ?? record
}

/** Approving what nobody can look into would be approving anything. */
async function missingContent(store: Store, vendor: string, record: EvidenceRecord): Promise<string | undefined> {
  const posture = await store.postures.find(vendor, record.postureDigest)
  if (posture === undefined) return 'its posture has not arrived yet'
  if (record.pcrDigest !== null && (await store.pcrSets.find(vendor, record.pcrDigest)) === undefined) {
    return 'its PCR values have not arrived yet'
  }
  const boot = await reportedBoot(store, vendor, record)
  if (boot?.log === 'missing') return 'its boot log has not arrived yet'
  if (boot !== undefined) assertUsable(boot)
  for (const [id, digest] of posture) {
    if (!(await store.sections.has(vendor, digest))) return `the content of its section ${id} has not arrived yet`
  }
  return undefined
}

const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7]

/** Values that leave out how the machine booted, or that its own log contradicts, are nothing to compare with. */
function assertUsable({ pcrs, log }: ReportedBoot): void {
  for (const [bank, values] of pcrs) {
    const left = FIRMWARE_PCRS.filter((pcr) => !values.has(pcr))
    if (left.length > 0) {
      throw conflict(`its quote of the bank ${bank} leaves out PCRs ${left.join(', ')}`, 'Set tpm.pcrs on the gateway.')
    }
  }
  if (log instanceof OutcomeError) {
    throw conflict(`its boot log does not lead to what its TPM quotes: ${log.message}`, 'Examine the gateway.')
  }
}

async function accept(
  store: Store,
  device: Device,
  state: DeviceState,
  record: EvidenceRecord,
  { scope, actor, now, random, golden }: ApprovalRequest,
): Promise<{ referenceId: string; resolvedFindings: readonly string[] }> {
  const boot = await reportedBoot(store, device.vendor, record)
  const bootReferenceDigest = await bootReferenceOf(store, device, boot, golden)
  const insert = async (deviceId: number | null): Promise<string> => {
    const id = makeId('ref', now, random)
    await store.references.insert({
      id,
      productId: device.productId,
      deviceId,
      review: 'unreviewed',
      postureDigest: record.postureDigest,
      pcrDigest: record.pcrDigest,
      bootReferenceDigest,
      tpmFirmwareVersion: boot?.tpmFirmwareVersion ?? null,
      createdAt: now,
      createdBy: actor,
    })
    return id
  }
  const current = await store.references.newestFor(device.id, device.productId)
  const referenceId = await insert(scope === 'product' ? null : device.id)
  // A device's own values come before its product's: older ones would go on to hold for this device alone.
  if (scope === 'product' && current !== undefined && current.deviceId !== null) await insert(device.id)

  const tracked = (await store.findings.trackedOf(device.id)).filter(({ code }) => isAcceptable(code))
  await resolveFindings(store, tracked, { actor, now })
  const after: DeviceState = { ...state, verdict: 'affirming', verdictCode: null, latch: 'none' }
  await store.devices.saveState(device.id, after)
  await store.transitions.append(transitionsBetween(device.id, state, after, { at: now, cause: () => actor }))
  return { referenceId, resolvedFindings: tracked.filter(({ state: at }) => at !== 'suspected').map(({ id }) => id) }
}

/**
 * The reference events that hold from now on. Rules that are in force and that the boot keeps stay: accepting a package
 * must not take back what several devices were compared for.
 * Errors: request.conflict for golden devices that cannot be taken together, or are not as they were looked at.
 */
async function bootReferenceOf(
  store: Store,
  device: Device,
  boot: ReportedBoot | undefined,
  golden: ApprovalRequest['golden'],
): Promise<Uint8Array | null> {
  if (!isProvenReport(boot)) {
    if (golden !== undefined) throw conflict('no boot log proves its measurements, so that there is nothing to compare')
    return null
  }
  if (golden === undefined) {
    const current = await store.references.newestFor(device.id, device.productId)
    const digest = current?.bootReferenceDigest ?? null
    const rules = digest === null ? undefined : await store.bootReferences.find(device.vendor, digest)
    const inForce = rules === undefined ? undefined : decodeBootReference(rules)
    if (inForce !== undefined && conformsTo(inForce, boot.log)) return digest
  }
  const others: ProvenReport[] = []
  for (const ueid of golden?.ueids ?? []) others.push(await goldenBoot(store, device, ueid))
  const proposal = proposeFrom(boot, others)
  if (golden !== undefined) {
    const [reason] = proposal === undefined ? ['a boot log has too many events'] : proposal.conflicts
    if (reason !== undefined) throw conflict(`they cannot be approved together: ${reason}`)
    if (proposal === undefined || !equal(proposal.digest, golden.rules)) {
      throw conflict('their boots are not as they were compared any more', 'keepseal device compare-boots UEID UEID…')
    }
  }
  return proposal === undefined ? null : saveBootReference(store, device.vendor, proposal.reference)
}

/** The proven boot of a device that serves as an example of its product: a good one. Errors: request.*. */
export async function goldenBoot(store: Store, device: Device, ueid: Ueid): Promise<ProvenReport> {
  const other = await existing(store, ueid)
  const state = await store.devices.stateOf(other.id)
  const record = await newestEvidence(store, other.id, state)
  const refuse = (reason: string): never => {
    throw conflict(`${ueid} ${reason}`, `keepseal device show ${ueid}`)
  }
  if (other.productId !== device.productId) return refuse('is a device of another product')
  if (other.enrolment === 'revoked') return refuse('is revoked')
  // The first device is approved by this very act; what is known of it is looked at by the approval.
  if (state.latch !== 'none') return refuse('has failed, and nobody has released it')
  if (record === undefined || record.outcome !== null) return refuse('has no good evidence')
  const boot = await reportedBoot(store, other.vendor, record)
  return isProvenReport(boot) ? boot : refuse('has no boot log that proves its measurements')
}
