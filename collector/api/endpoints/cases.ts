import * as v from 'valibot'
import { closingShareOf } from '../../../shared/decisions/cases/guards.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { INTAKE_CAUSES } from '../../../shared/maturity/causes.ts'
import { TRIGGER_IDS, triggerOf } from '../../../shared/maturity/triggers.ts'
import { fleetShowing, identityOf } from '../../decisions/live-case-guards.ts'
import { caseBundle } from '../../report/case-bundle.ts'
import { openCase } from '../../tracking/cases/open.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, MAX_LIMIT, Name, pageOf, pageQuery, Time } from '../schemas.ts'
import {
  caseFields,
  caseJson,
  CaseJson,
  CaseStates,
  DeadlineJson,
  deadlineJson,
  deadlinesAt,
  historyJson,
  NextJson,
  nextJson,
  StepJson,
} from './case-json.ts'
import { FindingJson, findingJson, viewOf } from './finding-json.ts'
import { existingProduct } from './products.ts'
import { CONCERNED, READERS } from './roles.ts'

const CaseParams = v.strictObject({ id: id('cas') })
/** Whatever people have written into the log about it, as the log has it. Times in it are seconds since 1970. */
const Decided = v.looseObject({})

const CaseDetail = v.strictObject({
  ...caseFields,
  facts: v.looseObject({}),
  /** What the first decision about it has to name. */
  identity: v.looseObject({ facts: v.string() }),
  deadlines: v.array(DeadlineJson),
  next: NextJson,
  history: v.array(StepJson),
  decided: v.nullable(Decided),
  affectedUnits: v.number(),
  /** Units that show the fix by evidence from then on; null before a fix was reported, or where documents show it. */
  fleet: v.nullable(
    v.strictObject({
      since: v.number(),
      shown: v.number(),
      declared: v.number(),
      /** Whether that is what the vendor declares, or the units that are enrolled. */
      basis: v.picklist(['declared', 'enrolled']),
      enrolled: v.number(),
      wanted: v.number(),
    }),
  ),
  /** The newest ones. All of them: GET /findings?caseId=… */
  findings: v.array(FindingJson),
  findingCount: v.number(),
})

const list = defineEndpoint({
  method: 'GET',
  path: '/cases',
  operationId: 'listCases',
  summary: 'List reassessment cases, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({ ...pageQuery, state: v.optional(CaseStates), productId: v.optional(id('prd')) }),
  response: pageOf(CaseJson),
  run: async ({ store, decisions, clock }, { query }) => {
    const page = await store.cases.list(query, query)
    const register = await decisions.register()
    return { ...page, items: page.items.map((record) => caseJson(record, register, clock())) }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/cases/:id',
  operationId: 'getCase',
  summary: 'One reassessment case: facts, deadlines, decisions, what comes next, findings',
  roles: READERS,
  scope: 'own',
  params: CaseParams,
  response: CaseDetail,
  run: async ({ store, decisions, clock }, { params }) => {
    const found = await store.cases.byId(params.id)
    if (found === undefined) throw new KeepsealError('request.not-found', `case ${params.id}`)
    const record = found.case
    const register = await decisions.register()
    const now = clock()
    const decided = register.cases.get(record.id)
    const showing = decided === undefined || decided.proof !== 'fleet' ? undefined : await fleetShowing(store, decided)
    const gathered = await store.findings.list({ limit: MAX_LIMIT }, { caseId: params.id })
    const ids = gathered.items.map(({ finding }) => finding.id)
    const view = await viewOf(store, ids, clock())
    return {
      ...caseJson(record, register, now),
      facts: { ...record.facts },
      identity: { ...identityOf(record) },
      deadlines: deadlinesAt(record, register).map((deadline) => deadlineJson(deadline, now)),
      next: nextJson(record, decided),
      history: decided === undefined ? [] : historyJson(decided, register),
      decided: decided === undefined ? null : { ...decided },
      affectedUnits: await store.cases.affectedUnits(record.id),
      fleet:
        showing === undefined
          ? null
          : {
              ...showing,
              since: decided?.fix?.fixedAt ?? 0,
              wanted: closingShareOf(register.certificates.get(record.certificateId)),
            },
      findingCount: found.findingIds.length,
      findings: gathered.items.map(({ finding, ...device }) => findingJson(finding, device, view)),
    }
  },
})

const open = defineEndpoint({
  method: 'POST',
  path: '/cases',
  operationId: 'openCase',
  summary: 'Report what calls for a reassessment: a case for each certificate of the product, unless there is one',
  roles: CONCERNED,
  scope: 'own',
  body: v.strictObject({
    productId: id('prd'),
    trigger: v.picklist(TRIGGER_IDS),
    /** One line for people. */
    summary: v.pipe(Name, v.maxLength(200)),
    /** Who or what reported it. */
    source: v.pipe(Name, v.maxLength(200)),
    /** Its number elsewhere: what is reported under one number twice is one case. */
    reference: v.optional(v.pipe(Name, v.maxLength(100))),
    /** When it was noticed, if not now. */
    detectedAt: v.optional(Time),
  }),
  status: 201,
  response: v.strictObject({ items: v.array(v.strictObject({ ...caseFields, isNew: v.boolean() })) }),
  run: async ({ store, decisions, clock, random }, { body, actor }) => {
    const { productId, trigger, summary, source, reference } = body
    const cause = INTAKE_CAUSES[trigger]
    if (cause === undefined) {
      throw new KeepsealError('request.invalid', `${trigger} is opened by evidence or the calendar, not by people`)
    }
    const now = clock()
    const detectedAt = body.detectedAt === undefined ? now : Date.parse(body.detectedAt)
    if (detectedAt > now) throw new KeepsealError('request.invalid', 'detectedAt is in the future')
    await existingProduct(store, productId)
    const certificates = await decisions.certificatesCovering(productId, now)
    if (certificates.length === 0) {
      const remedy = 'There is nothing to reassess before a certificate is issued.'
      throw new KeepsealError('request.conflict', `no certificate is in force for ${productId}`, { remedy })
    }
    const opened = await store.transaction(async (transaction) => {
      const all = []
      for (const certificate of certificates) {
        const opening = {
          productId,
          certificateId: certificate.id,
          releaseId: null,
          cause,
          subject: reference ?? new Date(now).toISOString(),
          isOnce: true,
          severity: triggerOf(trigger).severity,
          detectedAt,
          origin: { token: actor.id, name: actor.name },
          summary,
          details: { source, reference: reference ?? null },
        }
        const each = await openCase(transaction, opening, now, random)
        const detail = { trigger, summary, source }
        const entry = { at: now, actor: actor.id, action: 'case.open', subject: each.record.id, detail }
        if (each.isNew) await transaction.auditLog.append(entry)
        all.push(each)
      }
      return all
    })
    const register = await decisions.register()
    return { items: opened.map(({ record, isNew }) => ({ ...caseJson(record, register, now), isNew })) }
  },
})

const bundle = defineEndpoint({
  method: 'GET',
  path: '/cases/:id/bundle',
  operationId: 'getCaseBundle',
  summary: 'All of a case in one document: facts, signed decisions, findings, and the hash of all evidence used',
  roles: READERS,
  scope: 'own',
  params: CaseParams,
  response: v.looseObject({ format: v.string() }),
  run: async (services, { params }) => {
    const found = await caseBundle(services, params.id)
    if (found === undefined) throw new KeepsealError('request.not-found', `case ${params.id}`)
    return found
  },
})

export const caseEndpoints: readonly Endpoint[] = [list, show, open, bundle]
