import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { ApiServices } from '../services.ts'
import { badge } from './badge.ts'
import { CERTIFICATE_POLICY, renderCertificate } from './certificate-html.ts'
import { renderCheck } from './check-html.ts'
import { isCached } from './caching.ts'
import { checkCoverage } from './check.ts'
import { acceptedLanguage, PUBLIC_LANGUAGES, type PublicLanguage } from './public-texts.ts'
import { StatusBook, type SignedStatus } from './status-book.ts'

/** Of everybody together behind one address. */
const REQUESTS_PER_MINUTE = 120
/** Whoever tries serial numbers one after another learns little in a minute. */
const CHECKS_PER_MINUTE = 20

const Id = v.pipe(v.string(), v.regex(/^[\w.-]{1,128}$/))
const Params = v.object({ id: Id })
const Language = v.optional(v.picklist(PUBLIC_LANGUAGES))
/** Whatever else somebody's link has is left alone. */
const Shown = v.object({ lang: Language })
const Check = v.strictObject({
  lang: Language,
  model: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  serial: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
})

export interface CertificateRoutesOptions {
  readonly services: ApiServices
  /** Path of the script that verifies the status in the visitor's browser; without one the page has none. */
  readonly verifier: string | undefined
}

/** A Fastify plugin: what everybody may know of a certificate, without a token. Facts need no script in the browser. */
export async function certificateRoutes(server: FastifyInstance, options: CertificateRoutesOptions): Promise<void> {
  const { services, verifier } = options
  const book = new StatusBook(services)
  await server.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: () => new KeepsealError('request.rate-limited'),
  })
  const read = async (request: FastifyRequest): Promise<SignedStatus> => book.of(valid(Params, request.params).id)

  server.get('/:id/status', async (request, reply) => {
    const signed = await read(request)
    const wantsJson = request.headers.accept?.includes('json') === true
    if (isCached(request, reply, cacheable(signed, wantsJson ? 'json' : 'cbor'), now(services)))
      return reply.code(304).send()
    if (!wantsJson)
      return reply.type('application/vnd.keepseal.certificate-status+cbor').send(Buffer.from(signed.bytes))
    return reply.type('application/json; charset=utf-8').send({ ...signed.status, signed: toBase64(signed.bytes) })
  })
  server.get('/:id/badge.svg', async (request, reply) => {
    const signed = await read(request)
    if (isCached(request, reply, cacheable(signed, 'svg'), now(services))) return reply.code(304).send()
    return reply.type('image/svg+xml; charset=utf-8').send(badge(signed.status, now(services)).toString())
  })
  server.get('/:id', async (request, reply) => {
    const signed = await read(request)
    const language = languageOf(request, valid(Shown, request.query).lang)
    const shown = { ...cacheable(signed, `html-${language}`), vary: 'accept, accept-language' }
    if (isCached(request, reply, shown, now(services))) return reply.code(304).send()
    void reply.type('text/html; charset=utf-8').header('content-security-policy', CERTIFICATE_POLICY)
    const { publicKey } = services.keys
    const key = publicKey.curve === 'Ed25519' ? toBase64(publicKey.x) : ''
    return reply.send(renderCertificate(signed, now(services), { verifier, key, language }).toString())
  })
  server.get(
    '/:id/check',
    { config: { rateLimit: { max: CHECKS_PER_MINUTE, timeWindow: 60_000 } } },
    async (request, reply) => {
      const { id } = valid(Params, request.params)
      const query = valid(Check, request.query)
      const signed = await book.of(id)
      void reply.header('cache-control', 'no-store').header('vary', 'accept, accept-language')
      const answer = await checkCoverage(services, id, signed.status, query)
      if (request.headers.accept?.includes('text/html') !== true) return answer
      void reply.type('text/html; charset=utf-8').header('content-security-policy', CERTIFICATE_POLICY)
      return reply.send(renderCheck(answer, query, languageOf(request, query.lang)).toString())
    },
  )
}

/** As the link says; as the browser prefers without. */
const languageOf = (request: FastifyRequest, chosen: PublicLanguage | undefined): PublicLanguage =>
  chosen ?? acceptedLanguage(request.headers['accept-language'])

const cacheable = ({ digest, status }: SignedStatus, form: string) => ({ digest, expiresAt: status.expiresAt, form })
const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const now = ({ clock }: ApiServices): number => Math.floor(clock() / 1000)

function valid<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const checked = v.safeParse(schema, value)
  if (checked.success) return checked.output
  const [issue] = checked.issues
  throw new KeepsealError('request.invalid', `${v.getDotPath(issue) ?? 'request'}: ${issue.message}`)
}
