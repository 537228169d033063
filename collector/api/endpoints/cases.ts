import * as v from 'valibot'
import { findings } from '../../../shared/codes/findings.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { ReassessmentCase } from '../../model/finding.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, MAX_LIMIT, pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { FindingCodes, FindingJson, findingJson, viewOf } from './finding-json.ts'
import { READERS } from './roles.ts'

const CaseStates = v.picklist(['triggered', 'triaged', 'closed'])

const caseFields = {
  id: id('cas'),
  productId: id('prd'),
  /** Of the decision log. */
  certificateId: v.string(),
  cause: FindingCodes,
  title: v.string(),
  /** Reassessment trigger of the practice model. */
  trigger: v.string(),
  state: CaseStates,
  openedAt: Time,
  /** When a person must have triaged it, and whether that is over. */
  triageBy: Time,
  overdue: v.boolean(),
}
const CaseJson = v.strictObject(caseFields)
/** `findings`: the newest ones. All of them: GET /findings?caseId=… */
const CaseDetail = v.strictObject({ ...caseFields, findingCount: v.number(), findings: v.array(FindingJson) })

function toJson(record: ReassessmentCase, now: number): v.InferOutput<typeof CaseJson> {
  return {
    ...record,
    title: findings[record.cause].title,
    openedAt: toTime(record.openedAt),
    triageBy: toTime(record.triageBy),
    overdue: record.state === 'triggered' && record.triageBy < now,
  }
}

const list = defineEndpoint({
  method: 'GET',
  path: '/cases',
  operationId: 'listCases',
  summary: 'List reassessment cases, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({ ...pageQuery, state: v.optional(CaseStates), productId: v.optional(id('prd')) }),
  response: pageOf(CaseJson),
  run: async ({ store, clock }, { query }) => {
    const page = await store.cases.list(query, query)
    return { ...page, items: page.items.map((record) => toJson(record, clock())) }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/cases/:id',
  operationId: 'getCase',
  summary: 'One reassessment case with its findings',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: id('cas') }),
  response: CaseDetail,
  run: async ({ store, clock }, { params }) => {
    const found = await store.cases.byId(params.id)
    if (found === undefined) throw new KeepsealError('request.not-found', `case ${params.id}`)
    const gathered = await store.findings.list({ limit: MAX_LIMIT }, { caseId: params.id })
    const ids = gathered.items.map(({ finding }) => finding.id)
    const view = await viewOf(store, ids, clock())
    return {
      ...toJson(found.case, clock()),
      findingCount: found.findingIds.length,
      findings: gathered.items.map(({ finding, ...device }) => findingJson(finding, device, view)),
    }
  },
})

export const caseEndpoints: readonly Endpoint[] = [list, show]
