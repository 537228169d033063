import type { AdvisorySeverity, Fix, RecordedFact } from './kinds.ts'

/** A fact and when it happened, ms since 1970. */
export type DatedFact = RecordedFact & { readonly occurredAt: number }

/** What is known of an advisory that concerns a product. */
export interface Advisory {
  readonly advisory: string
  /** The highest that was ever said of it; one that is known to be exploited is critical. */
  readonly severity: AdvisorySeverity
  readonly publishedAt: number
  /** Where it is fixed; any of them will do. Empty: nowhere yet. */
  readonly fixes: readonly Fix[]
  readonly fixedAt: number | null
}

const SEVERITIES: readonly AdvisorySeverity[] = ['low', 'medium', 'high', 'critical']
const higher = (a: AdvisorySeverity, b: AdvisorySeverity): AdvisorySeverity =>
  SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b

const isFix = ({ kind }: DatedFact): boolean => kind === 'fix-released'

/**
 * `facts` by when they happened. A fix counts in whatever order it was recorded: it can be dated to the moment of its
 * advisory, or before it. An advisory that is published again keeps its first day: that is when it
 * was known.
 */
export function advisoriesOf(facts: readonly DatedFact[]): readonly Advisory[] {
  const all = new Map<string, Advisory>()
  for (const { kind, detail, occurredAt } of [...facts.filter((fact) => !isFix(fact)), ...facts.filter(isFix)]) {
    if (kind === 'advisory-published') {
      const { advisory, severity, exploited, fixedIn } = detail
      const said = exploited ? 'critical' : severity
      const known = all.get(advisory)
      const fixes = [...(known?.fixes ?? []), ...(fixedIn === undefined ? [] : [fixedIn])]
      all.set(advisory, {
        advisory,
        severity: known === undefined ? said : higher(known.severity, said),
        publishedAt: known?.publishedAt ?? occurredAt,
        fixes,
        fixedAt: known?.fixedAt ?? (fixedIn === undefined ? null : occurredAt),
      })
    } else if (kind === 'fix-released') {
      const known = all.get(detail.advisory)
      // A fix of something that nobody published says nothing about time.
      if (known === undefined) continue
      const fixedAt = Math.min(known.fixedAt ?? occurredAt, occurredAt)
      all.set(detail.advisory, { ...known, fixes: [...known.fixes, detail.fixedIn], fixedAt })
    }
  }
  return [...all.values()]
}
