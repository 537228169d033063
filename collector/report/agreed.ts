import { currentStage } from '../../shared/decisions/stages.ts'
import { standingOfStep, type RoadmapStep } from '../../shared/decisions/roadmap/item.ts'
import { standingOfRecommendation, type Recommendation } from '../../shared/decisions/roadmap/recommendation.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import type { PracticeGap, RoadmapItem } from './model-kinds.ts'
import { ofSeconds } from './sources.ts'

/** What people have signed about a way out of gaps, of the products of a report. */
export interface Agreed {
  readonly steps: readonly RoadmapStep[]
  readonly recommendations: readonly Recommendation[]
  /** Seconds since 1970. */
  readonly at: number
}

export const NOTHING_AGREED: Agreed = { steps: [], recommendations: [], at: 0 }

export function agreedAbout(
  { roadmap, recommendations }: Pick<Register, 'roadmap' | 'recommendations'>,
  products: readonly string[],
  at: number,
): Agreed {
  const isAbout = (each: { readonly products: readonly string[] }) =>
    each.products.some((name) => products.includes(name))
  return {
    steps: [...roadmap.values()].filter(isAbout),
    recommendations: [...recommendations.values()].filter(isAbout),
    at,
  }
}

/** The signed steps and recommendations about one practice of one product. */
export function agreedOf(
  { steps, recommendations, at }: Agreed,
  product: string,
  practice: PracticeId,
): Pick<PracticeGap, 'planned' | 'recommended'> {
  const isMeant = (each: { readonly practice: PracticeId; readonly products: readonly string[] }) =>
    each.practice === practice && each.products.includes(product)
  return {
    planned: steps.filter(isMeant).map((step) => {
      const { id, title: what, owner, due } = step
      return { id, what, owner, due: ofSeconds(due - 1), state: standingOfStep(step, at) }
    }),
    recommended: recommendations
      .filter(isMeant)
      .map((each) => ({ id: each.id, title: each.title, standing: standingOfRecommendation(each) })),
  }
}

/** Of the products that the report is about: a step is one item for each. */
export const stepItems = ({ steps, at }: Agreed, products: readonly string[]): readonly RoadmapItem[] =>
  steps.flatMap((step) =>
    step.products
      .filter((product) => products.includes(product))
      .map((product) => ({
        source: 'decided',
        id: step.id,
        product,
        practices: [step.practice],
        what: step.title,
        levels: { from: step.fromLevel, to: step.toLevel },
        owner: step.owner,
        // The last moment at which it is in time.
        due: ofSeconds(step.due - 1),
        state: standingOfStep(step, at),
        evidence: [step.evidence],
        case: step.case,
        recommendation: step.recommendation,
      })),
  )

/** What is said of products whose assessment is not over: their units are no production. */
export function stageLimits({ assessments, certificates }: Register, products: readonly string[]): readonly string[] {
  return [...assessments.values()].flatMap((assessment) => {
    const certificate = certificates.get(assessment.certificate)
    if (certificate?.state !== 'draft') return []
    const named = certificate.products.map(({ product }) => product).filter((name) => products.includes(name))
    const stage = currentStage(assessment)
    const where = stage === null ? 'all stages are passed' : `at the stage ${stage}`
    return named.map(
      (name) =>
        `${name} is being assessed (${assessment.scenario}, ${where}): its units are a test fleet, not production.`,
    )
  })
}
