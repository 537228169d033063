import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { buildReport, type ReportSubject } from '../../report/build.ts'
import { renderReport } from '../../report/html/page.ts'
import { REPORT_KINDS, type Report } from '../../report/model.ts'
import { digestOfReport, signReport } from '../../report/signed.ts'
import type { Period } from '../../report/sources.ts'
import { CborBytes, defineEndpoint, HtmlPage, type Endpoint } from '../endpoint.ts'
import { Digest, id, Time } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { READERS } from './roles.ts'

const params = v.strictObject({ kind: v.picklist(REPORT_KINDS) })
const query = v.strictObject({
  certificateId: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
  productId: v.optional(id('prd')),
  from: v.optional(Time),
  to: v.optional(Time),
})

const DAY_MS = 86_400_000
/** Without a beginning: a quarter of a year, and never more than what is remembered of it. */
const DEFAULT_DAYS = 91
const MAX_DAYS = 1_100

interface Asked {
  readonly params: v.InferOutput<typeof params>
  readonly query: v.InferOutput<typeof query>
}

/** Error: request.invalid. */
function subjectOf({ certificateId, productId }: Asked['query']): ReportSubject {
  if (certificateId !== undefined && productId === undefined) return { certificate: certificateId }
  if (productId !== undefined && certificateId === undefined) return { product: productId }
  throw new KeepsealError('request.invalid', 'query: one of certificateId and productId is wanted')
}

/** Error: request.invalid. */
function periodOf({ from: first, to: last }: Asked['query'], now: number): Period {
  const to = last === undefined ? now : Date.parse(last)
  const from = first === undefined ? to - DEFAULT_DAYS * DAY_MS : Date.parse(first)
  if (to > now) throw new KeepsealError('request.invalid', 'query to: it has not come yet')
  if (from > to) throw new KeepsealError('request.invalid', 'query from: it is after the end of the period')
  if (to - from > MAX_DAYS * DAY_MS) throw new KeepsealError('request.invalid', `query from: ${MAX_DAYS} days at most`)
  return { from, to }
}

function make(services: ApiServices, asked: Asked): Promise<Report> {
  const { store, decisions, catalogue = defaultCatalogue, clock, keys } = services
  const now = clock()
  const subject = subjectOf(asked.query)
  const period = periodOf(asked.query, now)
  const sources = { store, decisions, catalogue, collectorId: keys.collectorId, now }
  return buildReport(sources, { kind: asked.params.kind, subject, period })
}

const json = defineEndpoint({
  method: 'GET',
  path: '/reports/:kind',
  operationId: 'getReport',
  summary: 'A report about a certificate or a product; docs/reports.md says what is in it',
  roles: READERS,
  scope: 'own',
  params,
  query,
  response: v.strictObject({ digest: Digest, keyId: Digest, report: v.looseObject({ format: v.string() }) }),
  run: async (services, asked) => {
    const report = await make(services, asked)
    return { digest: digestOfReport(report), keyId: toHex(services.keys.signer.keyId), report: { ...report } }
  },
})

const signed = defineEndpoint({
  method: 'GET',
  path: '/reports/:kind/signed',
  operationId: 'getSignedReport',
  summary: 'The same as deterministic CBOR in a COSE_Sign1 by the key of the collector',
  roles: READERS,
  scope: 'own',
  params,
  query,
  response: CborBytes,
  run: async (services, asked) => signReport(await make(services, asked), services.keys.signer),
})

const page = defineEndpoint({
  method: 'GET',
  path: '/reports/:kind/page',
  operationId: 'getReportPage',
  summary: 'The same as a page that needs no script, and prints',
  roles: READERS,
  scope: 'own',
  params,
  query,
  response: HtmlPage,
  run: async (services, asked) => {
    const report = await make(services, asked)
    return renderReport(report, { digest: digestOfReport(report), keyId: toHex(services.keys.signer.keyId) })
  },
})

export const reportEndpoints: readonly Endpoint[] = [json, signed, page]
