import type { Catalogue } from '../../maturity/catalogue/schema.ts'
import type { DocumentCriterion } from '../../maturity/conformity/assess.ts'
import type { PracticeId } from '../../maturity/practices.ts'
import { LEVELS, type Level } from '../../maturity/signals/definition.ts'
import type { Register } from '../register.ts'
import { GRACE_SECONDS, type AttestedDocument } from './document.ts'
import { standingOfDocument } from './standing.ts'

type CriterionState = DocumentCriterion['state']

/** Best first: of several documents of one kind the best one stands for it. */
const STATES: readonly CriterionState[] = ['in-force', 'in-grace', 'expired', 'lapsed', 'missing']

/** What a practice asks for beside the catalogue: kinds that its profile names, for the level that it promises. */
export interface AskedDocuments {
  readonly level: Level
  readonly kinds: readonly string[]
}

/**
 * The documents that levels of a practice ask for, each with what the decision log has of it for this product. One for each
 * level from the one that asks for the kind up to the highest that it can support. `at`: seconds since 1970.
 */
export function documentCriteria(
  register: Register,
  { documents }: Pick<Catalogue, 'documents'>,
  about: { readonly product: string; readonly practice: PracticeId; readonly at: number },
  asked: AskedDocuments | null,
): readonly DocumentCriterion[] {
  const criteria: DocumentCriterion[] = []
  for (const [kind, { practices }] of Object.entries(documents)) {
    const use = practices[about.practice]
    if (use === undefined) continue
    const state = stateOfKind(register, kind, about)
    const levels = LEVELS.filter((level) => level >= use.from && level <= use.supports)
    criteria.push(...levels.map((level) => ({ level, kind, state })))
  }
  for (const kind of asked?.kinds ?? []) {
    if (asked === null || criteria.some((each) => each.kind === kind && each.level <= asked.level)) continue
    criteria.push({ level: asked.level, kind, state: stateOfKind(register, kind, about) })
  }
  return criteria
}

/** The best of the documents of one kind about a product and a practice; without a practice, about any. */
export function stateOfKind(
  register: Register,
  kind: string,
  { product, practice, at }: { readonly product: string; readonly practice?: PracticeId; readonly at: number },
): CriterionState {
  let best = STATES.length - 1
  for (const document of register.documents.values()) {
    const isAbout = document.products.includes(product)
    const isFor = practice === undefined || document.practices.includes(practice)
    if (document.kind !== kind || !isAbout || !isFor) continue
    best = Math.min(best, STATES.indexOf(stateOf(document, register, at)))
  }
  return STATES[best] ?? 'missing'
}

/** What was never accepted, or was replaced, says nothing. What ended before its time is expired from that day on. */
function stateOf(document: AttestedDocument, register: Register, at: number): CriterionState {
  const { standing, counts } = standingOfDocument(document, register, at)
  if (counts) return standing === 'in-grace' ? 'in-grace' : 'in-force'
  const { state, endedAt, validUntil } = document
  if (state !== 'accepted' && state !== 'ended') return 'missing'
  const expiredAt = state === 'ended' ? (endedAt ?? validUntil) : validUntil + GRACE_SECONDS
  return at >= expiredAt + GRACE_SECONDS ? 'lapsed' : 'expired'
}
