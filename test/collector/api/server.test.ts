import { Registry } from 'prom-client'
import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { endpoints } from '../../../collector/api/endpoints/index.ts'
import { metricsHandler } from '../../../collector/api/operations.ts'
import { storedDevice } from '../store/samples.ts'
import { useApi } from './support.ts'

describe('the server', () => {
  const api = useApi()

  it('answers what it does not know with a problem', async () => {
    const { status, body, headers } = await api().call(null, 'GET', '/no/such?token=secret')
    expect(status).toBe(404)
    expect(headers['content-type']).toContain('application/problem+json')
    expect(body).toMatchObject({ type: 'request.not-found', status: 404, remedy: expect.any(String) })
    expect(JSON.stringify(body)).not.toContain('secret')
  })

  it('tells nobody what went wrong inside', async () => {
    const { app, tokens } = api()
    const response = await app.inject({
      method: 'GET',
      url: '/api/v1/devices',
      headers: { authorization: `Bearer ${tokens.auditor}` },
    })
    expect(response.statusCode).toBe(200)
    const broken = await brokenStore()
    expect(broken.statusCode).toBe(500)
    expect(broken.json()).toMatchObject({ type: 'internal.failure', detail: 'a fault of this software' })
    expect(broken.body).not.toMatch(/sqlite|database|closed|driver/i)
  })

  it.each([
    ['text', { 'content-type': 'text/plain' }, '{}', 415],
    ['no JSON', { 'content-type': 'application/json' }, '{"vendor":', 400],
    ['a poisoned prototype', { 'content-type': 'application/json' }, '{"__proto__":{"vendor":"x"}}', 400],
    ['too much', { 'content-type': 'application/json' }, JSON.stringify({ vendor: 'x'.repeat(70_000) }), 413],
  ])('refuses a body that is %s', async (_, headers, payload, status) => {
    const { app, tokens } = api()
    const authorization = `Bearer ${tokens.operator}`
    const response = await app.inject({
      method: 'POST',
      url: '/api/v1/products',
      headers: { ...headers, authorization },
      payload,
    })
    expect(response.statusCode).toBe(status)
    expect(response.json()).toMatchObject({ type: 'request.invalid', status })
  })

  it('keeps answers of the API out of caches and frames', async () => {
    const { headers } = await api().call('auditor', 'GET', '/api/v1/devices')
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    expect(headers['content-security-policy']).toContain("default-src 'none'")
  })

  async function brokenStore() {
    const { app, store, tokens } = api()
    Object.assign(store.devices, { list: () => Promise.reject(new Error('sqlite driver closed')) })
    return app.inject({ method: 'GET', url: '/api/v1/devices', headers: { authorization: `Bearer ${tokens.auditor}` } })
  }
})

describe('the rate of requests', () => {
  const api = useApi({ requestsPerMinute: 3 })

  it('is bounded, also for those without a token, and not for the health checks', async () => {
    const { call } = api()
    for (let i = 0; i < 3; i++) expect((await call(null, 'GET', '/api/v1/devices')).status).toBe(401)
    const { status, body, headers } = await call('operator', 'GET', '/api/v1/devices')
    expect(status).toBe(429)
    expect(body).toMatchObject({ type: 'request.rate-limited' })
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect((await call(null, 'GET', '/healthz')).status).toBe(200)
  })
})

describe('health', () => {
  let broker: () => Promise<unknown> = () => Promise.resolve()
  const api = useApi({ readiness: [{ name: 'broker', check: () => broker() }] })

  it('of the process is its answer, and readiness that of what it needs', async () => {
    const { call } = api()
    expect((await call(null, 'GET', '/healthz')).body).toEqual({ status: 'ok' })
    const ready = await call(null, 'GET', '/readyz')
    expect(ready).toMatchObject({ status: 200, body: { status: 'ready', checks: { database: 'ok', broker: 'ok' } } })
    broker = () => Promise.reject(new Error('connection to 10.0.0.7 refused'))
    const unready = await call(null, 'GET', '/readyz')
    expect(unready).toMatchObject({ status: 503, body: { checks: { database: 'ok', broker: 'failed' } } })
    expect(unready.raw.toString()).not.toContain('10.0.0.7')
    expect((await call(null, 'GET', '/healthz')).status).toBe(200)
  })
})

describe('metrics', () => {
  const registry = new Registry()
  const api = useApi({ metricsRegistry: registry })

  it('are counted by route and not by URL', async () => {
    const { call, store } = api()
    const device = await storedDevice(store)
    await call('auditor', 'GET', `/api/v1/devices/${device.ueid}`)
    await call('auditor', 'GET', '/api/v1/no-such-thing')
    expect((await call(null, 'GET', '/metrics')).status).toBe(404)
    const server = fastify()
    server.get('/metrics', metricsHandler(registry))
    const { body, headers } = await server.inject('/metrics')
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toContain('keepseal_http_requests_total{method="GET",route="/api/v1/devices/:ueid",status="200"} 1')
    expect(body).toContain('route="none",status="404"')
    expect(body).not.toContain(device.ueid)
    await server.close()
  })
})

describe('the OpenAPI document', () => {
  const api = useApi()

  it('describes every route with its schemas', async () => {
    const { call } = api()
    const { status, body } = await call(null, 'GET', '/api/v1/openapi.json')
    expect(status).toBe(200)
    expect(body['openapi']).toBe('3.1.0')
    const paths = body['paths'] as Record<string, Record<string, Record<string, unknown>>>
    for (const { method, path, operationId, status: good } of endpoints) {
      const operation = paths[`/api/v1${path.replace(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase()]
      expect(operation, operationId).toMatchObject({ operationId, security: [{ token: [] }, { session: [] }] })
      expect(Object.keys(operation?.['responses'] as object)).toEqual([String(good), 'default'])
    }
    expect(Object.keys(paths).sort()).toEqual(
      [...new Set(endpoints.map(({ path }) => `/api/v1${path.replace(/:(\w+)/g, '{$1}')}`))].sort(),
    )
    const devices = paths['/api/v1/devices']?.['get']
    expect(devices?.['parameters']).toContainEqual(
      expect.objectContaining({
        name: 'limit',
        in: 'query',
        required: false,
        schema: expect.objectContaining({ type: 'integer', maximum: 200 }),
      }),
    )
    const create = paths['/api/v1/products']?.['post']
    expect(JSON.stringify(create?.['requestBody'])).toContain('"required":["vendor","model"]')
  })
})
