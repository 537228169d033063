import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { SESSION_COOKIE } from '../access/sessions.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { registerEndpoint } from './endpoint.ts'
import { endpoints } from './endpoints/index.ts'
import { liveRoute } from './web/live.ts'
import { sessionRoutes } from './session-routes.ts'
import type { ApiServices } from './services.ts'

const DEFAULT_REQUESTS_PER_MINUTE = 600

/** A Fastify plugin: the API of people and programs, and its OpenAPI document. */
export async function apiRoutes(server: FastifyInstance, { services }: { services: ApiServices }): Promise<void> {
  server.removeContentTypeParser('text/plain')
  await server.register(rateLimit, {
    max: services.requestsPerMinute ?? DEFAULT_REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: () => new KeepsealError('request.rate-limited'),
  })
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Keepseal collector',
        description: 'Times are RFC 3339 in UTC, digests hexadecimal. Lists go on with `nextCursor` as `cursor`.',
        version: services.version,
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'ksa_…' },
          session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE, description: 'and X-CSRF-Token to change' },
        },
      },
    },
  })
  server.addHook('onSend', async (_request, reply) => {
    void reply.header('cache-control', 'no-store')
  })
  sessionRoutes(server, services)
  liveRoute(server, services)
  for (const endpoint of endpoints) registerEndpoint(server, services, endpoint)
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger())
}
