import type { CaseDetail, Certificate, Practices } from '../core/types-more.ts'

export interface TouchedPractice {
  readonly practice: string
  readonly name: string
  readonly conformity: string | null
  /** Why it is listed: below its target now, named in the signed analysis, or assessed anew. */
  readonly why: readonly ('failing' | 'named' | 'scoped')[]
}

const isFailing = (conformity: string): boolean => conformity === 'drift' || conformity === 'nonconforming'

/** Practices that a case touches: what is below its target in the fleet, and what people have said. */
export function touchedPractices(
  { cause, subject, decided }: Pick<CaseDetail, 'cause' | 'subject' | 'decided'>,
  practices: Practices | undefined,
): readonly TouchedPractice[] {
  const known = new Map((practices?.items ?? []).map((each) => [each.practice, each]))
  const why = new Map<string, Set<TouchedPractice['why'][number]>>()
  const add = (practice: string, reason: TouchedPractice['why'][number]): void => {
    why.set(practice, (why.get(practice) ?? new Set()).add(reason))
  }
  for (const { practice, counts, conformity } of known.values())
    if (counts && isFailing(conformity)) add(practice, 'failing')
  // A case about a practice names it as its subject.
  if (cause.startsWith('practice.') && known.has(subject)) add(subject, 'failing')
  for (const practice of decided?.impact?.practices ?? []) add(practice, 'named')
  for (const practice of decided?.scope?.practices ?? []) add(practice, 'scoped')
  return [...why].map(([practice, reasons]) => {
    const { name = practice, conformity = null } = known.get(practice) ?? {}
    return { practice, name, conformity, why: [...reasons] }
  })
}

const IN_FORCE: ReadonlySet<string> = new Set(['valid', 'valid-with-conditions', 'suspended'])

/** Certificates that rest on a product, the case's own first. */
export const touchedCertificates = (
  certificates: readonly Certificate[],
  product: string,
  own: string,
): readonly Certificate[] =>
  certificates
    .filter(
      ({ id, state, products }) =>
        id === own || (IN_FORCE.has(state) && products.some((each) => each.product === product)),
    )
    .sort((a, b) => Number(b.id === own) - Number(a.id === own))
