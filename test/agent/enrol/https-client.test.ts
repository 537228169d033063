import type { RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import * as v from 'valibot'
import { postJson } from '../../../agent/enrol/https-client.ts'
import { failureOf } from '../../support/failure.ts'
import { createPki } from '../../support/pki.ts'

const pki = createPki()
const Answer = v.strictObject({ echo: v.unknown() })
const servers: { close(): unknown }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const serve = (answer: RequestListener): Promise<number> => listening(createServer(pki.server(), answer))
const answering = (status: number, body: string, headers: Record<string, string> = {}): Promise<number> =>
  serve((_, response) => response.writeHead(status, headers).end(body))

const post = (port: number, changes: Partial<Parameters<typeof postJson>[0]> = {}) =>
  postJson(
    {
      url: new URL(`https://localhost:${port}/enroll/v1/begin`),
      body: { token: 'secret' },
      authorities: pki.authority,
      timeoutMs: 2000,
      ...changes,
    },
    Answer,
  )

test('JSON goes there and comes back', async () => {
  const port = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => response.end(JSON.stringify({ echo: [request.method, request.url, JSON.parse(body)] })))
  })
  expect(await post(port)).toEqual({ echo: ['POST', '/enroll/v1/begin', { token: 'secret' }] })
})

describe('a refusal', () => {
  test("is told with the collector's code, detail and remedy", async () => {
    const problem = {
      type: 'enrol.token-used',
      title: 't',
      status: 409,
      detail: 'used on Monday',
      remedy: 'Get another.',
    }
    const failure = await failureOf(async () => post(await answering(409, JSON.stringify(problem))))
    expect(failure).toMatchObject({ code: 'collector.refused', remedy: 'Get another.' })
    expect(failure?.message).toContain('enrol.token-used')
    expect(failure?.message).toContain('used on Monday')
  })

  test.each([
    [404, '<html>', 'collector.refused'],
    [302, '', 'collector.refused'],
    [500, '{}', 'collector.refused'],
    [502, '<html>', 'collector.unreachable'],
    [503, '', 'collector.unreachable'],
    [200, 'not JSON', 'collector.refused'],
    [200, '{"other": 1}', 'collector.refused'],
  ] as const)('of status %i with the body %s is %s', async (status, body, code) => {
    const port = await answering(status, body, { location: 'https://localhost/elsewhere' })
    expect((await failureOf(() => post(port)))?.code).toBe(code)
  })

  test('is not repeated in more words than fit', async () => {
    const problem = { type: 'x'.repeat(500), detail: 'y'.repeat(5000) }
    const failure = await failureOf(async () => post(await answering(400, JSON.stringify(problem))))
    expect(failure?.message.length).toBeLessThan(200)
  })
})

describe('a collector is unreachable', () => {
  test('when nobody listens', async () => {
    expect((await failureOf(() => post(1)))?.code).toBe('collector.unreachable')
  })

  test('when it never answers, or never finishes', async () => {
    const mute = await serve(() => undefined)
    const slow = await serve((_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    })
    for (const port of [mute, slow]) {
      expect((await failureOf(() => post(port, { timeoutMs: 200 })))?.code).toBe('collector.unreachable')
    }
  })

  test('when it says too much', async () => {
    const port = await answering(200, JSON.stringify({ echo: 'x'.repeat(5000) }))
    expect((await failureOf(() => post(port, { maxBytes: 4096 })))?.code).toBe('collector.unreachable')
  })

  test('when it breaks off', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('{')
      setTimeout(() => response.destroy(), 20)
    })
    expect((await failureOf(() => post(port)))?.code).toBe('collector.unreachable')
  })

  test('when it does not speak TLS', async () => {
    const port = await listening(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect((await failureOf(() => post(port)))?.code).toBe('collector.unreachable')
  })
})

describe('a collector is untrusted', () => {
  test('when another authority has certified it', async () => {
    const port = await answering(200, '{"echo":1}')
    const other = createPki('Other authority').authority
    expect((await failureOf(() => post(port, { authorities: other })))?.code).toBe('collector.untrusted')
  })

  test('when nobody that is known has, and no authority was named', async () => {
    const port = await answering(200, '{"echo":1}')
    expect((await failureOf(() => post(port, { authorities: undefined })))?.code).toBe('collector.untrusted')
  })

  test('when its certificate is for another name', async () => {
    const port = await answering(200, '{"echo":1}')
    const url = new URL(`https://127.0.0.2:${port}/`)
    const server = createServer(pki.server(), (_, response) => response.end('{"echo":1}'))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.2', resolve))
    expect((await failureOf(() => post(port, { url })))?.code).toBe('collector.untrusted')
  })
})
