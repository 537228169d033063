import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { KeepsealError } from '../../shared/errors.ts'
import { EnrolmentBegin, EnrolmentFinish } from '../../shared/evidence/enrolment.ts'
import { RenewalBegin, RenewalRequest } from '../../shared/evidence/renewal.ts'
import { beginEnrolment } from '../trust/enrolment/begin.ts'
import type { EnrolmentDependencies } from '../trust/enrolment/dependencies.ts'
import { finishEnrolment } from '../trust/enrolment/finish.ts'
import { beginRenewal, renewCertificate } from '../trust/enrolment/renew.ts'
import { tellSuccession } from '../trust/enrolment/succession.ts'
import { handleError } from './problem.ts'

const BODY_LIMIT = 32 * 1024
/** A device needs two calls. A site behind one address enrols its gateways one after another. */
const DEFAULT_REQUESTS_PER_MINUTE = 60

export interface EnrolmentRoutesOptions {
  readonly dependencies: EnrolmentDependencies
  /** Per client address. */
  readonly requestsPerMinute?: number
}

/** Throws KeepsealError `request.invalid`, which names every field that is not as documented. */
function checked<const S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, body)
  if (result.success) return result.output
  const fields = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'body'}: ${issue.message}`)
  throw new KeepsealError('request.invalid', fields.slice(0, 16).join('; '))
}

/**
 * A Fastify plugin: POST /enroll/v1/begin and /enroll/v1/finish, /enroll/v1/renew/challenge and /enroll/v1/renew,
 * /enroll/v1/succession. Without authentication, for the token or the proof in the body is one; so sizes and rates are held down before anything is looked at.
 */
export async function enrolmentRoutes(server: FastifyInstance, options: EnrolmentRoutesOptions): Promise<void> {
  const { dependencies, requestsPerMinute = DEFAULT_REQUESTS_PER_MINUTE } = options
  server.setErrorHandler(handleError)
  await server.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: () => new KeepsealError('request.rate-limited'),
  })
  server.addHook('onSend', async (_request, reply) => {
    // The answers hold a secret and belong to nobody but the device.
    void reply.header('cache-control', 'no-store')
  })
  const limits = { bodyLimit: BODY_LIMIT }
  server.post('/enroll/v1/begin', limits, (request) =>
    beginEnrolment(checked(EnrolmentBegin, request.body), dependencies),
  )
  server.post('/enroll/v1/finish', limits, (request) =>
    finishEnrolment(checked(EnrolmentFinish, request.body), dependencies),
  )
  server.post('/enroll/v1/renew/challenge', limits, (request) =>
    beginRenewal(checked(RenewalBegin, request.body), dependencies),
  )
  server.post('/enroll/v1/renew', limits, (request) =>
    renewCertificate(checked(RenewalRequest, request.body), dependencies),
  )
  server.post('/enroll/v1/succession', limits, () => tellSuccession(dependencies))
}
