import { findings, type FindingCode } from '../../shared/codes/findings.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { DecisionBook } from '../decisions/decision-book.ts'
import type { Device } from '../model/device.ts'
import type { ReassessmentCase } from '../model/finding.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import { caseOpened } from './events.ts'

const DAY_MS = 86_400_000

/** How long a person may take to triage: an integrity failure a day, anything else a working week. */
const triageTime = (code: FindingCode): number => (findings[code].axis === 'integrity' ? DAY_MS : 7 * DAY_MS)

export interface CaseDependencies {
  /** Which certificates are in force: a finding opens cases of those. */
  readonly decisions: DecisionBook
  readonly random: RandomFunction
}

/**
 * Opens the reassessment case that a finding calls for, or adds the finding to it: one case for each certificate in
 * force for the product and each cause, whatever the number of devices. A product without a certificate has nothing to
 * reassess. One silent device is no reason for it either: silence counts in the coverage of its product.
 */
export async function openCases(
  store: Store,
  device: Device,
  finding: { readonly id: string; readonly code: FindingCode },
  now: number,
  { decisions, random }: CaseDependencies,
): Promise<void> {
  if (findings[finding.code].axis === 'liveness') return
  const { productId } = device
  for (const certificate of await decisions.certificatesCovering(productId, now, store)) {
    const open = await store.cases.openFor(productId, certificate.id, finding.code)
    const id = open?.id ?? makeId('cas', now, random)
    if (open === undefined) {
      const opened: ReassessmentCase = {
        id,
        productId,
        certificateId: certificate.id,
        cause: finding.code,
        trigger: findings[finding.code].trigger,
        state: 'triggered',
        openedAt: now,
        triageBy: now + triageTime(finding.code),
      }
      await store.cases.insert(opened)
      await store.notifications.add(caseOpened(opened))
    }
    await store.cases.addFinding(id, finding.id)
  }
}
