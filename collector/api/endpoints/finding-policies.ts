import * as v from 'valibot'
import { defaultHysteresis, isMeasured } from '../../../shared/codes/finding-hysteresis.ts'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import type { Hysteresis } from '../../../shared/hysteresis/hysteresis.ts'
import type { FindingPolicy } from '../../model/finding.ts'
import { setFindingPolicy } from '../../tracking/finding-decisions.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Time, toTime } from '../schemas.ts'
import { FindingCodes, Severities } from './finding-json.ts'
import { existingProduct, ProductParams } from './products.ts'
import { CERTIFIER, FLEET, READERS } from './roles.ts'

const Whole = v.pipe(v.number(), v.integer(), v.minValue(0))
/** N of M evaluations, of which those that are nearer to each other are one. */
const HysteresisJson = v.strictObject({ count: Whole, of: Whole, spacingSeconds: Whole })

const PolicyJson = v.strictObject({
  code: FindingCodes,
  title: v.string(),
  severity: Severities,
  /** null: it is a finding at once. */
  hysteresis: v.nullable(HysteresisJson),
  /** Without a word of the product. */
  defaultSeverity: Severities,
  defaultHysteresis: v.nullable(HysteresisJson),
  /** Whether it can be given a hysteresis. */
  isMeasured: v.boolean(),
  /** null where the product says nothing. */
  setBy: v.nullable(v.string()),
  setAt: v.nullable(Time),
})

const hysteresisJson = (hysteresis: Hysteresis | null) =>
  hysteresis && {
    count: hysteresis.count,
    of: hysteresis.of,
    spacingSeconds: Math.round((hysteresis.spacingMs ?? 0) / 1000),
  }

function toJson(code: FindingCode, policy: FindingPolicy | undefined): v.InferOutput<typeof PolicyJson> {
  const { title, severity } = findings[code]
  return {
    code,
    title,
    severity: policy?.severity ?? severity,
    hysteresis: hysteresisJson(policy?.hysteresis ?? defaultHysteresis(code)),
    defaultSeverity: severity,
    defaultHysteresis: hysteresisJson(defaultHysteresis(code)),
    isMeasured: isMeasured(code),
    setBy: policy?.setBy ?? null,
    setAt: policy === undefined ? null : toTime(policy.setAt),
  }
}

const list = defineEndpoint({
  method: 'GET',
  path: '/products/:id/finding-policies',
  operationId: 'listFindingPolicies',
  summary: 'Severity and hysteresis of each code of findings, as they hold for a product',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.strictObject({ productId: id('prd'), items: v.array(PolicyJson) }),
  run: async ({ store }, { params }) => {
    const product = await existingProduct(store, params.id)
    const policies = await store.findingPolicies.ofProduct(product.id)
    const codes = Object.keys(findings).sort() as FindingCode[]
    return { productId: product.id, items: codes.map((code) => toJson(code, policies.get(code))) }
  },
})

const set = defineEndpoint({
  method: 'PUT',
  path: '/products/:id/finding-policies/:code',
  operationId: 'setFindingPolicy',
  summary: 'Say what severity and what hysteresis findings of a code have for a product; null takes it back',
  roles: [...FLEET, ...CERTIFIER],
  scope: 'own',
  params: v.strictObject({ ...ProductParams.entries, code: FindingCodes }),
  body: v.strictObject({ severity: v.nullable(Severities), hysteresis: v.nullable(HysteresisJson) }),
  response: PolicyJson,
  run: async ({ store, decisions, clock }, { params, body, actor }) => {
    const { id: productId } = await existingProduct(store, params.id)
    const now = clock()
    const isCertified = (await decisions.certificatesCovering(productId, now)).length > 0
    const { count = 0, of = 0, spacingSeconds = 0 } = body.hysteresis ?? {}
    const hysteresis = body.hysteresis && { count, of, spacingMs: spacingSeconds * 1000 }
    const wanted = { code: params.code, severity: body.severity, hysteresis }
    const policy = await setFindingPolicy(store, { id: productId, isCertified }, wanted, actor, now)
    return toJson(params.code, policy)
  },
})

export const findingPolicyEndpoints: readonly Endpoint[] = [list, set]
