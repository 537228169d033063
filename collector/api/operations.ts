import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Histogram, type Registry } from 'prom-client'
import type { ApiServices, ReadinessCheck } from './services.ts'

const CHECK_TIMEOUT_MS = 2000

/**
 * A Fastify plugin: GET /healthz (the process answers) and /readyz (it can do its work). What a failing check says is
 * logged and not shown: these routes need no token.
 */
export async function operationsRoutes(
  server: FastifyInstance,
  services: Pick<ApiServices, 'store' | 'readiness'>,
): Promise<void> {
  const database = { name: 'database', check: () => services.store.epochs.current() }
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', async (request, reply) => {
    // What has to be checked changes while the collector starts.
    const checks: readonly ReadinessCheck[] = [database, ...(services.readiness ?? [])]
    const results = await Promise.all(checks.map((check) => outcomeOf(check, request)))
    const ready = results.every(([, result]) => result === 'ok')
    void reply.code(ready ? 200 : 503).header('cache-control', 'no-store')
    return { status: ready ? 'ready' : 'not-ready', checks: Object.fromEntries(results) }
  })
}

async function outcomeOf({ name, check }: ReadinessCheck, request: FastifyRequest): Promise<[string, 'ok' | 'failed']> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS)
  })
  try {
    await Promise.race([check(), timeout])
    return [name, 'ok']
  } catch (error) {
    request.log.error({ err: error, check: name }, 'not ready')
    return [name, 'failed']
  } finally {
    clearTimeout(timer)
  }
}

/** GET /metrics, for a listener of its own. */
export function metricsHandler(registry: Registry) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    void reply.type(registry.contentType)
    return registry.metrics()
  }
}

/** Counts and times every answer by route: by its pattern, since a URL would make a time series for each device. */
export function measureRequests(server: FastifyInstance, registry: Registry): void {
  const labelNames = ['method', 'route', 'status'] as const
  const total = new Counter({
    name: 'keepseal_http_requests_total',
    help: 'HTTP requests answered',
    labelNames,
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'keepseal_http_request_duration_seconds',
    help: 'Time to answer an HTTP request',
    labelNames: ['method', 'route'] as const,
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  })
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    total.inc({ method: request.method, route, status: String(reply.statusCode) })
    duration.observe({ method: request.method, route }, reply.elapsedTime / 1000)
  })
}
