import type { PracticeTargetInput, DocumentCriterion } from '../../../shared/maturity/conformity/assess.ts'
import type { PracticeId } from '../../../shared/maturity/practices.ts'
import type { Level } from '../../../shared/maturity/signals/definition.ts'
import type { Decisions } from '../../decisions/decision-book.ts'
import type { Store } from '../../store/index.ts'

/** What is agreed about a product: what its profiles ask for, and which documents are in force. */
export interface Agreed {
  readonly targets: ReadonlyMap<PracticeId, PracticeTargetInput>
  readonly documents: ReadonlyMap<PracticeId, readonly DocumentCriterion[]>
}

/**
 * What the profiles of the certificates in force ask for, as the decision log has it: the log alone, so that nobody lowers
 * a target in a file. Where several certificates cover a product each has to hold, and the highest target counts.
 */
export async function agreedFor(
  decisions: Pick<Decisions, 'register' | 'certificatesCovering'>,
  productId: string,
  now: number,
  store: Store,
): Promise<Agreed> {
  const certificates = await decisions.certificatesCovering(productId, now, store)
  const { profiles } = await decisions.register(store)
  const targets = new Map<PracticeId, PracticeTargetInput>()
  for (const { profile } of certificates) {
    const version = profiles.get(profile.id)?.find((each) => each.version === profile.version)
    for (const [practice, { level }] of Object.entries(version?.targets ?? {}) as [PracticeId, { level: number }][]) {
      const known = targets.get(practice)
      if (known === undefined || known.level < level) targets.set(practice, { level: level as Level, slo: {} })
    }
  }
  return { targets, documents: new Map() }
}
