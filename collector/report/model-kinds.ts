import type { StepStanding } from '../../shared/decisions/roadmap/item.ts'
import type { RecommendationStanding } from '../../shared/decisions/roadmap/recommendation.ts'
import type { PracticeStatus } from '../../shared/maturity/conformity/status.ts'
import type { Domain, PracticeId } from '../../shared/maturity/practices.ts'

/** What the reports about gaps, roadmaps and standards have beside the others: part of ./model.ts. */

export interface DomainGap {
  readonly domain: Domain
  readonly practices: readonly PracticeGap[]
}

export interface PracticeGap {
  readonly product: string
  readonly practice: PracticeId
  readonly name: string
  readonly priority: string | null
  readonly target: number
  readonly supported: number
  /** Levels that are missing; 0 where the target is supported. */
  readonly missing: number
  readonly conformity: PracticeStatus
  readonly restore: readonly {
    readonly code: string
    readonly about: string | null
    readonly why: string
    readonly what: string
  }[]
  /** Steps of the roadmap that somebody has signed about it. */
  readonly planned: readonly {
    readonly id: string
    readonly what: string
    readonly owner: string
    readonly due: string
    readonly state: StepStanding
  }[]
  readonly recommended: readonly {
    readonly id: string
    readonly title: string
    readonly standing: RecommendationStanding
  }[]
}

export interface Roadmap {
  readonly progress: {
    readonly items: number
    readonly done: number
    readonly overdue: number
    readonly withoutOwner: number
  }
  readonly items: readonly RoadmapItem[]
}

export interface RoadmapItem {
  /**
   * `decided`: somebody has signed it, on the roadmap or in the plan of a case. `derived`: computed from a gap, and nobody
   * has agreed to it.
   */
  readonly source: 'decided' | 'derived'
  /** Of a step of the roadmap. */
  readonly id: string | null
  readonly product: string
  readonly practices: readonly PracticeId[]
  readonly what: string
  /** Of the practice, now and afterwards; null where nothing is said of it. */
  readonly levels: { readonly from: number; readonly to: number } | null
  readonly owner: string | null
  readonly due: string | null
  readonly state: StepStanding
  /** What has to be shown before it is closed. */
  readonly evidence: readonly string[]
  readonly case: string | null
  /** That it follows. */
  readonly recommendation: string | null
}

export type RequirementView = 'supported' | 'partly' | 'gap' | 'unknown' | 'not-in-profile'

export interface FrameworkView {
  readonly framework: string
  readonly title: string
  readonly version: string
  /** Which requirement goes with which practice is nobody's official table. */
  readonly pairings: 'own'
  readonly note: string
  readonly counts: Readonly<Record<RequirementView, number>>
  readonly requirements: readonly {
    readonly requirement: string
    readonly practices: readonly PracticeId[]
    readonly view: RequirementView
  }[]
}
