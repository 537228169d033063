import type {
  ConditionCriterion,
  DocumentCriterion,
  PracticeTargetInput,
} from '../../../shared/maturity/conformity/assess.ts'
import type { Catalogue } from '../../../shared/maturity/catalogue/schema.ts'
import type { CheckState } from '../../../shared/maturity/checks.ts'
import type { Certificate } from '../../../shared/decisions/certificate.ts'
import { documentCriteria, stateOfKind } from '../../../shared/decisions/documents/criteria.ts'
import { productName } from '../../../shared/decisions/products.ts'
import { easing, objectiveOf } from '../../../shared/maturity/objective.ts'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'
import type { ProfileDocument } from '../../../shared/maturity/profile.ts'
import type { Level } from '../../../shared/maturity/signals/definition.ts'
import type { SignalId } from '../../../shared/maturity/signals.ts'
import type { SloOverride } from '../../../shared/maturity/slo-override.ts'
import type { Decisions } from '../../decisions/decision-book.ts'
import type { Confirmation } from '../../model/practice.ts'
import type { Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { confirmationOf } from './confirm.ts'
import { profileInForce, type ProfileInForce } from './profiles-in-force.ts'

/** What is agreed about a product: what its profiles ask for, and which documents are in force. */
export interface Agreed {
  readonly targets: ReadonlyMap<PracticeId, PracticeTargetInput>
  readonly documents: ReadonlyMap<PracticeId, readonly DocumentCriterion[]>
  /** Practices that count for a certificate: those of a priority that its profile says. */
  readonly counting: ReadonlySet<PracticeId>
  /** Practices whose drift a certifier has confirmed as a nonconformity. */
  readonly confirmed: ReadonlyMap<PracticeId, Confirmation>
  /** Of practices that count: after how many days in drift they are nonconforming, where that was agreed. */
  readonly driftDays: ReadonlyMap<PracticeId, number>
  /** Profiles of the certificates in force, as far as they are here. */
  readonly profiles: readonly ProfileDocument[]
  /** Ids of the certificates that ask for all this. */
  readonly certificates: readonly string[]
  /** What stands against practices because their profile is not here. */
  readonly missing: ReadonlyMap<PracticeId, readonly ConditionCriterion[]>
  /** Whether a document of a kind is in force for the product. */
  readonly document: (kind: string) => CheckState
}

/**
 * What the profiles of the certificates in force ask for. Targets are those of the decision log alone, so that nobody lowers
 * one in a file; objectives, documents and priorities are those of the profile that the log names by its digest. Where
 * several certificates cover a product each has to hold: the highest target and the strictest objective count.
 */
export async function agreedFor(
  decisions: Pick<Decisions, 'register' | 'certificatesCovering'>,
  product: Product,
  { now, store, catalogue }: { readonly now: number; readonly store: Store; readonly catalogue: Catalogue },
): Promise<Agreed> {
  const certificates = await decisions.certificatesCovering(product.id, now, store)
  const register = await decisions.register(store)
  const profiles = await Promise.all(certificates.map((each) => profileInForce(store, register, each)))
  const about = { product: productName(product), at: Math.floor(now / 1000) }
  const targets = new Map<PracticeId, PracticeTargetInput>()
  const documents = new Map<PracticeId, readonly DocumentCriterion[]>()
  const missing = new Map<PracticeId, readonly ConditionCriterion[]>()
  const confirmed = new Map<PracticeId, Confirmation>()
  for (const practice of PRACTICE_IDS) {
    const confirmation = confirmationOf(register, product.id, practice)
    if (confirmation !== null) confirmed.set(practice, confirmation)
    const asking = profiles.filter((each) => each.targets[practice] !== undefined)
    const level = Math.max(0, ...asking.map((each) => each.targets[practice]?.level ?? 0)) as Level | 0
    if (level > 0) targets.set(practice, { level: level as Level, slo: strictest(practice, asking) })
    const kinds = asking.flatMap(({ document }) => document?.practices[practice]?.documents ?? [])
    const asked = level === 0 ? null : { level, kinds: [...new Set(kinds)] }
    documents.set(practice, documentCriteria(register, catalogue, { ...about, practice }, asked))
    const lacking = asking.filter(({ document }) => document === null)
    if (lacking.length > 0) missing.set(practice, lacking.map(profileMissing))
  }
  return {
    certificates: certificates.map(({ id }) => id),
    targets,
    documents,
    confirmed,
    driftDays: driftDaysOf(certificates, profiles),
    counting: new Set(profiles.flatMap(({ counting }) => counting)),
    profiles: profiles.flatMap(({ document }) => document ?? []),
    missing,
    document: (kind) => checkOf(stateOfKind(register, kind, about)),
  }
}

/** Of several certificates the one that allows the least. */
function driftDaysOf(
  certificates: readonly Certificate[],
  profiles: readonly ProfileInForce[],
): ReadonlyMap<PracticeId, number> {
  const days = new Map<PracticeId, number>()
  for (const [index, { agreement }] of certificates.entries()) {
    const agreed = agreement.nonconformingAfterDays
    if (agreed === undefined) continue
    for (const practice of profiles[index]?.counting ?? [])
      days.set(practice, Math.min(agreed, days.get(practice) ?? agreed))
  }
  return days
}

function checkOf(state: DocumentCriterion['state']): CheckState {
  if (state === 'in-force' || state === 'in-grace') return 'holds'
  return state === 'missing' ? 'unknown' : 'broken'
}

const profileMissing = ({ id, version }: ProfileInForce): ConditionCriterion => ({
  effect: 'unsupported',
  reason: {
    code: 'profile-missing',
    condition: `${id} ${version}`,
    text: `the profile ${id} ${version}, which the certificate names by its digest, is not here`,
    restore: 'Hand in the very file again: keepseal profile apply --help',
  },
})

/** Of each signal the objective that is hardest to meet; a profile that says nothing of a signal wants its default. */
function strictest(practice: PracticeId, asking: readonly ProfileInForce[]): Record<string, SloOverride> {
  const overrides = asking.map(({ document }) => document?.practices[practice]?.slo ?? {})
  const strict: Record<string, SloOverride> = {}
  for (const signal of new Set(overrides.flatMap((each) => Object.keys(each) as SignalId[]))) {
    const [first, ...others] = overrides.map((each): SloOverride => each[signal] ?? {})
    let hardest = first ?? {}
    for (const other of others) {
      const isEasier = easing(signal, objectiveOf(signal, hardest), objectiveOf(signal, other)) !== undefined
      if (!isEasier) hardest = other
    }
    strict[signal] = hardest
  }
  return strict
}
