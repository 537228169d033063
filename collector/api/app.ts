import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance } from 'fastify'
import { KeepsealError } from '../../shared/errors.ts'
import { apiRoutes } from './api-routes.ts'
import { certificateRoutes } from './public/certificate-routes.ts'
import { statusListRoutes } from './public/status-list-routes.ts'
import { measureRequests, operationsRoutes } from './operations.ts'
import { handleError } from './problem.ts'
import type { ApiServices } from './services.ts'
import { findWebFiles, scriptNamed } from './web/files.ts'
import { webRoutes } from './web/routes.ts'
import { contentSecurityPolicy, statusPageRoutes } from './status-page.ts'

const BODY_LIMIT = 64 * 1024
const REQUEST_TIMEOUT_MS = 30_000

/** Certificate chain and private key in PEM. */
export interface TlsIdentity {
  readonly certificate: string
  readonly key: string
}

/**
 * The collector's HTTP server, with everything but the enrolment, which is registered beside it. It listens when the
 * caller says so; without `tls` it speaks plain HTTP.
 */
export async function buildApi(services: ApiServices, tls?: TlsIdentity): Promise<FastifyInstance> {
  const options = {
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Addresses in forwarding headers are what a client says: without a trusted proxy they must not count for rates.
    trustProxy: false,
    ...(services.logger === undefined ? { logger: false } : { loggerInstance: services.logger }),
  }
  const server: FastifyInstance =
    tls === undefined
      ? fastify(options)
      : fastify({ ...options, https: { cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' } })
  server.setErrorHandler(handleError)
  if (services.metricsRegistry !== undefined) measureRequests(server, services.metricsRegistry)
  server.setNotFoundHandler((request, reply) =>
    handleError(
      new KeepsealError('request.not-found', `${request.method} ${request.url.split('?')[0]}`),
      request,
      reply,
    ),
  )
  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
    // The name is often `localhost` or one that other servers share, and clients of the API pin the authority anyway.
    strictTransportSecurity: false,
  })
  await server.register(operationsRoutes, services)
  await server.register(statusPageRoutes, services)
  const files = findWebFiles(services.webDirectory)
  await server.register(webRoutes, { files })
  await server.register(certificateRoutes, { services, verifier: scriptNamed(files, 'verify'), prefix: '/c' })
  await server.register(statusListRoutes, { ...services, prefix: '/status-lists' })
  await server.register(apiRoutes, { prefix: '/api/v1', services })
  return server
}
