import * as v from 'valibot'
import { currentStage, STAGES } from '../../../shared/decisions/stages.ts'
import { standingOfRecommendation } from '../../../shared/decisions/roadmap/recommendation.ts'
import { standingOfStep } from '../../../shared/decisions/roadmap/item.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Time, toTime } from '../schemas.ts'
import { READERS } from './roles.ts'

const Said = v.strictObject({ reason: v.string(), by: v.string(), at: Time })
const about = { title: v.string(), practice: v.string(), products: v.array(v.string()) }
const time = (seconds: number): string => toTime(seconds * 1000)
const timed = <T extends { readonly at: number }>(said: T) => ({ ...said, at: time(said.at) })

const RecommendationJson = v.strictObject({
  id: v.string(),
  ...about,
  text: v.string(),
  case: v.nullable(v.string()),
  /** The recommendation about another product that it repeats. */
  like: v.nullable(v.string()),
  by: v.string(),
  at: Time,
  standing: v.string(),
  answer: v.nullable(v.strictObject({ answer: v.string(), ...Said.entries })),
  withdrawn: v.nullable(Said),
})

const recommendations = defineEndpoint({
  method: 'GET',
  path: '/recommendations',
  operationId: 'listRecommendations',
  summary: 'What the certifier recommends, with what the vendor answered; newest first',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(RecommendationJson) }),
  run: async ({ decisions }) => {
    const { recommendations: all } = await decisions.register()
    const items = [...all.values()].reverse().map((each) => ({
      ...each,
      products: [...each.products],
      at: time(each.at),
      standing: standingOfRecommendation(each),
      answer: each.answer && timed(each.answer),
      withdrawn: each.withdrawn && timed(each.withdrawn),
    }))
    return { items }
  },
})

const StepJson = v.strictObject({
  id: v.string(),
  ...about,
  fromLevel: v.number(),
  toLevel: v.number(),
  owner: v.string(),
  due: Time,
  /** The day that was promised at first. */
  firstDue: Time,
  evidence: v.string(),
  recommendation: v.nullable(v.string()),
  case: v.nullable(v.string()),
  by: v.string(),
  at: Time,
  standing: v.string(),
  closed: v.nullable(v.strictObject({ outcome: v.string(), ...Said.entries })),
})

const roadmap = defineEndpoint({
  method: 'GET',
  path: '/roadmap-items',
  operationId: 'listRoadmapItems',
  summary: 'Signed steps of roadmaps; what is due first comes first',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(StepJson) }),
  run: async ({ decisions, clock }) => {
    const register = await decisions.register()
    const items = [...register.roadmap.values()]
      .sort((one, other) => one.due - other.due)
      .map((step) => ({
        ...step,
        products: [...step.products],
        due: time(step.due),
        firstDue: time(step.firstDue),
        at: time(step.at),
        standing: standingOfStep(step, Math.floor(clock() / 1000)),
        closed: step.closed && timed(step.closed),
      }))
    return { items }
  },
})

const AssessmentJson = v.strictObject({
  certificate: v.string(),
  scenario: v.string(),
  begunBy: v.string(),
  begunAt: Time,
  stages: v.array(v.string()),
  /** The one that is to be passed next; null when all are. */
  stage: v.nullable(v.string()),
  results: v.array(v.strictObject({ stage: v.string(), outcome: v.string(), ...Said.entries })),
})

const assessments = defineEndpoint({
  method: 'GET',
  path: '/assessments',
  operationId: 'listAssessments',
  summary: 'Assessments in stages, by the draft of a certificate that they are about',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(AssessmentJson) }),
  run: async ({ decisions }) => {
    const register = await decisions.register()
    const items = [...register.assessments.values()].map((each) => ({
      ...each,
      begunAt: time(each.begunAt),
      stages: [...STAGES[each.scenario]],
      stage: currentStage(each),
      results: each.results.map(timed),
    }))
    return { items }
  },
})

export const roadmapEndpoints: readonly Endpoint[] = [recommendations, roadmap, assessments]
