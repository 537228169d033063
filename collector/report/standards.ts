import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import { PRACTICE_IDS, type PracticeId } from '../../shared/maturity/practices.ts'
import type { ReportedPractice, ReportedProduct } from './model.ts'
import type { FrameworkView, RequirementView } from './model-kinds.ts'

const NOTE = 'Which requirement goes with which practice is our own reading, no official table. Check the original.'

/**
 * Requirements of standards by the practices that have to do with them. It says how the practices stand, and never that
 * a requirement is met: who assesses by that standard decides it.
 */
export function standardsOf(
  products: readonly ReportedProduct[],
  { frameworks, practices }: Catalogue,
): readonly FrameworkView[] {
  const views = new Map(PRACTICE_IDS.map((practice) => [practice, viewOfPractice(practice, products)] as const))
  return Object.entries(frameworks).map(([framework, { title, version, note }]) => {
    const mapped = new Map<string, PracticeId[]>()
    for (const practice of PRACTICE_IDS) {
      for (const requirement of practices[practice].mappings[framework] ?? []) {
        mapped.set(requirement, [...(mapped.get(requirement) ?? []), practice])
      }
    }
    const requirements = [...mapped]
      .map(([requirement, by]) => ({
        requirement,
        practices: by,
        view: viewOfAll(by.map((practice) => views.get(practice) ?? 'unknown')),
      }))
      .sort((a, b) => a.requirement.localeCompare(b.requirement, 'en', { numeric: true }))
    const count = (view: RequirementView): number => requirements.filter((each) => each.view === view).length
    return {
      framework,
      title,
      version,
      pairings: 'own',
      note: note ?? NOTE,
      counts: {
        supported: count('supported'),
        partly: count('partly'),
        gap: count('gap'),
        unknown: count('unknown'),
        'not-in-profile': count('not-in-profile'),
      },
      requirements,
    }
  })
}

/** Worst first. `partly` is of requirements alone. */
const ORDER = ['gap', 'unknown', 'not-in-profile', 'supported'] as const satisfies readonly RequirementView[]
type PracticeView = (typeof ORDER)[number]

/** Of several products the worst counts. */
function viewOfPractice(practice: PracticeId, products: readonly ReportedProduct[]): PracticeView {
  const views = products.flatMap((product) =>
    product.practices.filter((each) => each.practice === practice).map(viewOfOne),
  )
  return ORDER.find((view) => views.includes(view)) ?? 'unknown'
}

function viewOfOne({ target, supported, conformity }: ReportedPractice): PracticeView {
  if (target === null) return 'not-in-profile'
  if (conformity === 'drift' || conformity === 'nonconforming') return 'gap'
  if (conformity === 'unknown') return 'unknown'
  return supported < target ? 'gap' : 'supported'
}

function viewOfAll(views: readonly PracticeView[]): RequirementView {
  const worst = ORDER.find((view) => views.includes(view)) ?? 'unknown'
  return worst === 'not-in-profile' && views.includes('supported') ? 'partly' : worst
}
