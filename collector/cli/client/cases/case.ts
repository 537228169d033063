import * as v from 'valibot'
import { Finding } from '../finding.ts'
import type { ApiClient } from '../api.ts'

export const Case = v.looseObject({
  id: v.string(),
  productId: v.string(),
  certificateId: v.string(),
  cause: v.string(),
  subject: v.string(),
  title: v.string(),
  trigger: v.string(),
  opens: v.string(),
  severity: v.string(),
  state: v.string(),
  openedAt: v.string(),
  detectedAt: v.string(),
  due: v.nullable(v.string()),
  overdue: v.boolean(),
})
export type Case = v.InferOutput<typeof Case>

const Deadline = v.looseObject({
  title: v.string(),
  due: v.string(),
  metAt: v.nullable(v.string()),
  overdue: v.boolean(),
  legal: v.boolean(),
})

const Step = v.looseObject({
  at: v.string(),
  name: v.string(),
  role: v.nullable(v.string()),
  index: v.number(),
  step: v.string(),
  state: v.string(),
})

const Decided = v.looseObject({
  reason: v.string(),
  scope: v.nullable(v.looseObject({ practices: v.array(v.string()), class: v.string() })),
  fix: v.nullable(v.looseObject({ fixedAt: v.number(), what: v.string() })),
  proposal: v.nullable(v.looseObject({ measure: v.string(), reason: v.string() })),
  aware: v.record(v.string(), v.looseObject({ awareAt: v.number(), source: v.string() })),
})

export const CaseDetail = v.looseObject({
  ...Case.entries,
  facts: v.looseObject({ summary: v.optional(v.string(), '') }),
  identity: v.looseObject({ facts: v.string(), proof: v.string() }),
  deadlines: v.array(Deadline),
  next: v.nullable(
    v.looseObject({ who: v.string(), what: v.string(), verb: v.nullable(v.string()), decide: v.nullable(v.string()) }),
  ),
  history: v.array(Step),
  decided: v.nullable(Decided),
  affectedUnits: v.number(),
  fleet: v.nullable(
    v.looseObject({
      since: v.number(),
      shown: v.number(),
      declared: v.number(),
      basis: v.string(),
      wanted: v.number(),
    }),
  ),
  findings: v.array(Finding),
  findingCount: v.number(),
})
export type CaseDetail = v.InferOutput<typeof CaseDetail>

export const readCase = (client: ApiClient, id: string): Promise<CaseDetail> =>
  client.get(`/cases/${encodeURIComponent(id)}`, CaseDetail)
