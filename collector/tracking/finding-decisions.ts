import { isMeasured, MAX_HYSTERESIS_MS } from '../../shared/codes/finding-hysteresis.ts'
import { findings, type FindingCode, type Severity } from '../../shared/codes/findings.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { isHysteresis } from '../../shared/hysteresis/hysteresis.ts'
import type { Acknowledgement, FindingPolicy } from '../model/finding.ts'
import type { ApiToken } from '../model/product.ts'
import type { FindingOfDevice } from '../store/findings.ts'
import type { Store } from '../store/index.ts'

/** Nothing that a person puts aside stays aside for longer. */
export const MAX_ASIDE_MS = 180 * 86_400_000

const ORDER: readonly Severity[] = ['low', 'medium', 'high', 'critical']

/** Error: request.invalid. */
export function assertEnds(until: number, now: number): void {
  if (until <= now) throw new KeepsealError('request.invalid', 'until is not in the future')
  if (until > now + MAX_ASIDE_MS) throw new KeepsealError('request.invalid', 'until is more than 180 days away')
}

/** Error: request.not-found. */
export async function existingFinding(store: Store, id: string): Promise<FindingOfDevice> {
  const found = await store.findings.byId(id)
  if (found === undefined) throw new KeepsealError('request.not-found', `finding ${id}`)
  return found
}

/**
 * A person says that he knows of a finding, and why it may wait. The finding stays open and counted; a failure stays
 * latched. It ends by itself: with its time, when the finding is resolved, and when something else is found there.
 * Errors: request.not-found, request.invalid, request.conflict.
 */
export function acknowledgeFinding(
  store: Store,
  id: string,
  acknowledgement: Acknowledgement,
): Promise<FindingOfDevice> {
  const { at: now, by: actor, until, reason } = acknowledgement
  return store.transaction(async (transaction) => {
    assertEnds(until, now)
    const found = await existingFinding(transaction, id)
    const { finding } = found
    if (finding.state !== 'open' && finding.state !== 'recovered') {
      throw new KeepsealError('request.conflict', `it is ${finding.state}`, { remedy: `keepseal finding show ${id}` })
    }
    await transaction.findings.setAcknowledgement(id, acknowledgement)
    await noteStep(transaction, found, actor, now)
    const detail = { until, reason, code: finding.code, subject: finding.subject, device: found.ueid }
    await transaction.auditLog.append({ at: now, actor, action: 'finding.acknowledge', subject: id, detail })
    return { ...found, finding: { ...finding, acknowledgement } }
  })
}

/** Takes it back before its time; where there is none nothing is changed. Error: request.not-found. */
export function endAcknowledgement(store: Store, id: string, actor: string, now: number): Promise<FindingOfDevice> {
  return store.transaction(async (transaction) => {
    const found = await existingFinding(transaction, id)
    if (found.finding.acknowledgement === null) return found
    await transaction.findings.setAcknowledgement(id, null)
    await noteStep(transaction, found, actor, now)
    await transaction.auditLog.append({ at: now, actor, action: 'finding.unacknowledge', subject: id, detail: {} })
    return { ...found, finding: { ...found.finding, acknowledgement: null } }
  })
}

async function noteStep(store: Store, { finding }: FindingOfDevice, actor: string, at: number): Promise<void> {
  const { id, state, before, after } = finding
  const step = { at, state, cause: 'acknowledgement', actor, before, after, evidenceHash: null } as const
  await store.findingTransitions.appendAgain(id, step)
}

type Wanted = Pick<FindingPolicy, 'code' | 'severity' | 'hysteresis'>

/**
 * What a product says about findings of one code, in place of what holds for everybody. What fails integrity is never
 * made less of and never waits, and of a certified product only its certifier makes less of anything.
 * Errors: request.invalid, auth.forbidden.
 */
export function setFindingPolicy(
  store: Store,
  product: { readonly id: string; readonly isCertified: boolean },
  wanted: Wanted,
  { id: setBy, role }: Pick<ApiToken, 'id' | 'role'>,
  now: number,
): Promise<FindingPolicy> {
  assertPossible(wanted)
  if (product.isCertified && role !== 'certifier' && makesLess(wanted)) {
    throw new KeepsealError('auth.forbidden', 'the product is certified', {
      remedy: 'Ask its certifier: with a lower severity or a longer wait less is seen of it.',
    })
  }
  const policy = { productId: product.id, ...wanted, setBy, setAt: now }
  return store.transaction(async (transaction) => {
    await transaction.findingPolicies.save(policy)
    const { code, severity, hysteresis } = wanted
    const detail = { code, severity, hysteresis }
    await transaction.auditLog.append({
      at: now,
      actor: setBy,
      action: 'finding-policy.set',
      subject: product.id,
      detail,
    })
    return policy
  })
}

function assertPossible({ code, severity, hysteresis }: Wanted): void {
  const invalid = (reason: string) => new KeepsealError('request.invalid', `${code}: ${reason}`)
  if (findings[code].axis === 'integrity' && severity !== null && isLower(severity, code)) {
    throw invalid('a failure of integrity has no lower severity')
  }
  if (hysteresis === null) return
  if (!isMeasured(code)) throw invalid('it is not measured, and is a finding at once')
  if (!isHysteresis(hysteresis)) throw invalid('hysteresis is N of M evaluations, M at most 64')
  if (hysteresis.of * (hysteresis.spacingMs ?? 0) > MAX_HYSTERESIS_MS) {
    throw invalid('a finding may not wait for more than 7 days; make an exception, which people see')
  }
}

const isLower = (severity: Severity, code: FindingCode): boolean =>
  ORDER.indexOf(severity) < ORDER.indexOf(findings[code].severity)

const makesLess = ({ code, severity, hysteresis }: Wanted): boolean =>
  hysteresis !== null || (severity !== null && isLower(severity, code))
