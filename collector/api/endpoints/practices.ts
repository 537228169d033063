import * as v from 'valibot'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'
import { SIGNAL_IDS, signalsOf } from '../../../shared/maturity/signals.ts'
import { dayOf } from '../../../shared/maturity/conformity/sample.ts'
import type { FleetSummary } from '../../model/practice.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Time, toTime } from '../schemas.ts'
import {
  ConditionJson,
  conditionJson,
  Conformity,
  conformityOfProduct,
  practiceFields,
  practiceJson,
  Practices,
  ReasonJson,
  reasonsJson,
  SampleJson,
  sampleJson,
  signalFields,
  signalJson,
  Signals,
} from './practice-json.ts'
import { existingProduct, ProductParams } from './products.ts'
import { READERS } from './roles.ts'

const count = v.number()
const FleetJson = v.strictObject({
  denominator: count,
  basis: v.picklist(['declared', 'enrolled']),
  declared: v.nullable(count),
  enrolled: count,
  fresh: count,
  stale: count,
  silent: count,
  neverSeen: count,
  retired: count,
})

const PracticeJson = v.strictObject(practiceFields)
const SignalJson = v.strictObject(signalFields)
/** Newest first. */
const ChangeJson = v.strictObject({
  from: v.nullable(Conformity),
  to: Conformity,
  at: Time,
  reasons: v.array(ReasonJson),
})
const PracticeParams = v.strictObject({ id: id('prd'), practice: Practices })
const CHANGES = 50
const RECENT_DAYS = 2

const status = defineEndpoint({
  method: 'GET',
  path: '/products/:id/practices',
  operationId: 'getPracticeStatus',
  summary: 'All practices of a product: target, supported level, conformity, and why',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.strictObject({
    productId: id('prd'),
    evaluatedAt: v.nullable(Time),
    /** The worst of the practices that its profiles ask for. */
    conformity: Conformity,
    fleet: v.nullable(FleetJson),
    /** Limitations and assumptions of the profiles in force, as of that evaluation. */
    conditions: v.array(ConditionJson),
    items: v.array(PracticeJson),
  }),
  run: async ({ store }, { params }) => {
    const { id: productId } = await existingProduct(store, params.id)
    const states = await store.practices.states(productId)
    const evaluation = await store.practices.evaluation(productId)
    return {
      productId,
      evaluatedAt: evaluation === undefined ? null : toTime(evaluation.evaluatedAt),
      conformity: conformityOfProduct(states),
      fleet: evaluation === undefined ? null : (JSON.parse(evaluation.fleet) as FleetSummary),
      conditions: (evaluation?.conditions ?? []).map(conditionJson),
      items: PRACTICE_IDS.map((practice) => practiceJson(practice, states.get(practice))),
    }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/products/:id/practices/:practice',
  operationId: 'getPractice',
  summary: 'One practice of a product with its signals and its changes',
  roles: READERS,
  scope: 'own',
  params: PracticeParams,
  response: v.strictObject({
    productId: id('prd'),
    ...practiceFields,
    /** Limitations and assumptions that are about it. */
    conditions: v.array(ConditionJson),
    signals: v.array(SignalJson),
    changes: v.array(ChangeJson),
  }),
  run: async ({ store, clock }, { params }) => {
    const { id: productId } = await existingProduct(store, params.id)
    const { practice } = params
    const states = await store.practices.states(productId)
    const samples = await store.practices.samples(productId, dayOf(clock()) - RECENT_DAYS)
    const { conditions = [] } = (await store.practices.evaluation(productId)) ?? {}
    const changes = await store.practices.transitions(productId, { limit: CHANGES }, practice)
    return {
      productId,
      ...practiceJson(practice, states.get(practice)),
      conditions: conditions.filter(({ practices }) => practices.includes(practice)).map(conditionJson),
      signals: signalsOf(practice).map((signal) => signalJson(signal, samples.get(signal)?.at(-1))),
      changes: changes.items.map(({ from, to, at, reasons }) => ({
        from,
        to,
        at: toTime(at),
        reasons: reasonsJson(reasons),
      })),
    }
  },
})

const listSignals = defineEndpoint({
  method: 'GET',
  path: '/products/:id/signals',
  operationId: 'listSignals',
  summary: 'Every signal with its newest value for a product',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  query: v.strictObject({ practice: v.optional(Practices) }),
  response: v.strictObject({ items: v.array(SignalJson) }),
  run: async ({ store, clock }, { params, query }) => {
    const { id: productId } = await existingProduct(store, params.id)
    const samples = await store.practices.samples(productId, dayOf(clock()) - RECENT_DAYS)
    const wanted = query.practice === undefined ? SIGNAL_IDS : signalsOf(query.practice as PracticeId)
    return { items: wanted.map((signal) => signalJson(signal, samples.get(signal)?.at(-1))) }
  },
})

const Days = v.optional(
  v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,2}$/, 'a number of days up to 999'), v.transform(Number)),
  '90',
)

const showSignal = defineEndpoint({
  method: 'GET',
  path: '/products/:id/signals/:signal',
  operationId: 'getSignal',
  summary: 'One signal of a product by its days, oldest first',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: id('prd'), signal: Signals }),
  query: v.strictObject({ days: Days }),
  response: v.strictObject({ ...signalFields, history: v.array(SampleJson) }),
  run: async ({ store, clock }, { params, query }) => {
    const { id: productId } = await existingProduct(store, params.id)
    const { signal } = params
    const samples = await store.practices.samples(productId, dayOf(clock()) - query.days + 1, signal)
    const history = samples.get(signal) ?? []
    return { ...signalJson(signal, history.at(-1)), history: history.map((sample) => sampleJson(signal, sample)) }
  },
})

export const practiceEndpoints: readonly Endpoint[] = [status, show, listSignals, showSignal]
