import { findings, type FindingCode, type Severity } from '../../../shared/codes/findings.ts'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { causeOf, type CaseCause } from '../../../shared/maturity/causes.ts'
import { endOfPeriod } from '../../../shared/maturity/period.ts'
import { triggerOf } from '../../../shared/maturity/triggers.ts'
import type { DecisionBook } from '../../decisions/decision-book.ts'
import type { CaseFacts, CaseKey, ReassessmentCase } from '../../model/case.ts'
import type { Device } from '../../model/device.ts'
import { makeId } from '../../store/ids.ts'
import type { Store } from '../../store/index.ts'
import { caseOpened } from '../events.ts'

/** A case that is called for. */
export interface Opening extends CaseKey {
  readonly isOnce: boolean
  readonly severity: Severity
  /** ms since 1970. */
  readonly detectedAt: number
  /** Who says it: the software itself, or somebody whose words it records. */
  readonly origin: 'software' | { readonly token: string; readonly name: string }
  /** One line for people. */
  readonly summary: string
  /** Whatever else is known: numbers are whole, as in all that is signed. */
  readonly details: CaseFacts
}

export interface Opened {
  readonly record: ReassessmentCase
  /** False where there was one already. */
  readonly isNew: boolean
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

/** Opens a case, or finds the one that there is: as often as it is called for, there is one. */
export async function openCase(store: Store, opening: Opening, now: number, random: RandomFunction): Promise<Opened> {
  const { productId, certificateId, releaseId, cause, subject, isOnce, severity, detectedAt } = opening
  const existing = await store.cases.openFor(opening)
  if (existing !== undefined) return { record: existing, isNew: false }
  const { trigger } = causeOf(cause)
  const id = makeId('cas', now, random)
  const facts: CaseFacts = {
    case: id,
    trigger,
    cause,
    subject,
    product: productId,
    certificate: certificateId,
    release: releaseId,
    severity,
    openedAt: seconds(now),
    detectedAt: seconds(detectedAt),
    origin: opening.origin,
    summary: opening.summary,
    details: opening.details,
  }
  const record: ReassessmentCase = {
    id,
    productId,
    certificateId,
    releaseId,
    cause,
    subject,
    trigger,
    isOnce,
    severity,
    state: 'triggered',
    openedAt: now,
    detectedAt,
    triageBy: endOfPeriod(seconds(now), triggerOf(trigger).triage) * 1000,
    facts,
  }
  if (!(await store.cases.insert(record))) {
    const other = await store.cases.openFor(opening)
    if (other === undefined) throw new Error('a case that is neither there nor can be inserted')
    return { record: other, isNew: false }
  }
  await store.notifications.add(caseOpened(record))
  return { record, isNew: true }
}

/** What certificates there are for a product. */
interface CertificateSource {
  certificatesCovering(productId: string, now: number, store?: Store): Promise<readonly { readonly id: string }[]>
}

export interface CaseDependencies {
  /** Which certificates are in force: a finding opens cases of those. */
  readonly decisions: DecisionBook
  readonly random: RandomFunction
}

export interface CausingFinding {
  readonly id: string
  readonly code: FindingCode
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
  readonly evidenceHash: Uint8Array
}

/**
 * Opens the reassessment case that a finding calls for, or adds the finding to it: one case for each certificate in force
 * for the product and each cause, whatever the number of devices. A product without a certificate has nothing to
 * reassess. One silent device is no reason for it either: silence counts in the coverage of its product.
 */
export async function openCases(
  store: Store,
  device: Device,
  finding: CausingFinding,
  now: number,
  { decisions, random }: { readonly decisions: CertificateSource; readonly random: RandomFunction },
): Promise<void> {
  if (findings[finding.code].axis === 'liveness') return
  const { productId } = device
  for (const certificate of await decisions.certificatesCovering(productId, now, store)) {
    const opening = openingOf(device, finding, certificate.id, now)
    const { record } = await openCase(store, opening, now, random)
    await store.cases.addFinding(record.id, finding.id)
  }
}

function openingOf({ productId, ueid }: Device, finding: CausingFinding, certificateId: string, now: number): Opening {
  const { code, subject, before, after, evidenceHash } = finding
  return {
    productId,
    certificateId,
    releaseId: null,
    cause: code,
    subject: '',
    isOnce: false,
    severity: severityOf(code),
    detectedAt: now,
    origin: 'software',
    summary: `${findings[code].title}: ${subject}`,
    details: {
      finding: finding.id,
      device: ueid,
      subject,
      before,
      after,
      evidence: Buffer.from(evidenceHash).toString('hex'),
    },
  }
}

/**
 * How much a case weighs when one unit brings it up. A boot that is not as approved is one unit's at first: it becomes
 * critical by the share of the fleet that shows it.
 */
function severityOf(cause: CaseCause): Severity {
  const { trigger, severity } = causeOf(cause)
  return trigger === 'T1' ? triggerOf(trigger).severity : severity
}
