import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { enrolmentRoutes } from '../../../collector/api/enrolment-routes.ts'
import type { EnrolmentBegin, EnrolmentChallenge } from '../../../shared/evidence/enrolment.ts'
import { beginBody, enrollingDevice, finishBody } from '../../support/enrolling-device.ts'
import { certifiedTpm, useCollectors, type Collector } from '../../support/enrolment-collector.ts'

const newCollector = useCollectors()
let server: FastifyInstance | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function serve(requestsPerMinute?: number): Promise<{ collector: Collector; api: FastifyInstance }> {
  const collector = await newCollector()
  await collector.product()
  const { dependencies } = collector
  server = fastify()
  await server.register(
    enrolmentRoutes,
    requestsPerMinute === undefined ? { dependencies } : { dependencies, requestsPerMinute },
  )
  return { collector, api: server }
}

const post = (api: FastifyInstance, url: string, payload: string | object) =>
  api.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })

describe('enrolment over HTTP', () => {
  it('takes two calls', async () => {
    const { collector, api } = await serve()
    const device = enrollingDevice({ tpm: certifiedTpm() })
    const token = await collector.token()
    const begun = await post(api, '/enroll/v1/begin', beginBody(device, token))
    expect(begun.statusCode).toBe(200)
    const finished = await post(
      api,
      '/enroll/v1/finish',
      await finishBody(device, token, begun.json<EnrolmentChallenge>()),
    )
    expect(finished.statusCode).toBe(200)
    expect(finished.headers['cache-control']).toBe('no-store')
    expect(finished.json()).toMatchObject({ identity: 'tpm-endorsed', mqttUrl: 'mqtts://collector.example:8883' })
  })

  it('tells a refusal with code and remedy', async () => {
    const { api } = await serve()
    const response = await post(api, '/enroll/v1/begin', beginBody(enrollingDevice(), `kse_${'A'.repeat(43)}`))
    expect(response.statusCode).toBe(403)
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(response.json()).toMatchObject({ type: 'enrol.token-unknown', status: 403 })
    expect(response.json<{ remedy: string }>().remedy).toContain('keepseal token create')
  })

  it('names every field that is wrong, and not what was in it', async () => {
    const { api } = await serve()
    const good = beginBody(enrollingDevice(), `kse_${'A'.repeat(43)}`)
    const bad = { ...good, token: 'kse_secret', product: { ...good.product, serial: 'a\nb' }, extra: 1 }
    const response = await post(api, '/enroll/v1/begin', bad)
    expect(response.statusCode).toBe(400)
    const { type, detail } = response.json<{ type: string; detail: string }>()
    expect(type).toBe('request.invalid')
    for (const field of ['token:', 'product.serial:', 'extra:']) expect(detail).toContain(field)
    expect(detail).not.toContain('kse_secret')
  })

  it.each([
    ['not JSON', '{'],
    ['an array', '[]'],
    ['a poisoned prototype', '{"__proto__": {"token": "x"}}'],
  ])('refuses %s', async (_, payload) => {
    const { api } = await serve()
    const response = await post(api, '/enroll/v1/begin', payload)
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ type: 'request.invalid' })
  })

  it('refuses a body above 32 KiB', async () => {
    const { api } = await serve()
    const body: EnrolmentBegin = beginBody(enrollingDevice(), `kse_${'A'.repeat(43)}`)
    const response = await post(api, '/enroll/v1/begin', { ...body, padding: 'x'.repeat(33_000) })
    expect(response.statusCode).toBe(413)
    expect(response.json()).toMatchObject({ type: 'request.invalid' })
  })

  it('slows down whoever tries too often', async () => {
    const { api } = await serve(2)
    const body = beginBody(enrollingDevice(), `kse_${'A'.repeat(43)}`)
    const codes: number[] = []
    for (let attempt = 0; attempt < 3; attempt++) codes.push((await post(api, '/enroll/v1/begin', body)).statusCode)
    expect(codes).toEqual([403, 403, 429])
    const refused = await post(api, '/enroll/v1/finish', {})
    expect(refused.json()).toMatchObject({ type: 'request.rate-limited' })
    expect(refused.headers['retry-after']).toBeDefined()
  })

  it('says nothing about a fault of its own', async () => {
    const collector = await newCollector()
    await collector.product()
    const { dependencies } = collector
    const token = await collector.token()
    server = fastify()
    const broken = {
      ...dependencies,
      random: () => {
        throw new Error('/secret/path')
      },
    }
    await server.register(enrolmentRoutes, { dependencies: broken })
    const response = await post(server, '/enroll/v1/begin', beginBody(enrollingDevice({ tpm: certifiedTpm() }), token))
    expect(response.statusCode).toBe(500)
    expect(response.json()).toMatchObject({ type: 'internal.failure' })
    expect(response.payload).not.toContain('secret')
  })
})
