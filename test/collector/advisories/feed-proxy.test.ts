import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createPlain, type Server } from 'node:http'
import { createServer as createTls } from 'node:https'
import { connect, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { download } from '../../../collector/advisories/feeds/download.ts'
import { makeAgents, type Visit } from '../../../collector/advisories/feeds/request.ts'
import { createPki } from '../../support/pki.ts'

const pki = createPki()
const servers: NetServer[] = []
const sockets = new Set<Socket>()
const directory = mkdtempSync(join(tmpdir(), 'keepseal-proxy-'))
const agents: ReturnType<typeof makeAgents>[] = []
afterEach(() => {
  for (const each of agents.splice(0)) each.tls.destroy()
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})
afterAll(() => rmSync(directory, { recursive: true }))

async function listening<S extends NetServer>(server: S): Promise<number> {
  servers.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

/** A feed with TLS, whose host nobody but the proxy finds: each request and each CONNECT is written down. */
async function site(answer: 'tunnel' | 'refuse' | 'silence' = 'tunnel') {
  const asked: string[] = []
  const { key, cert } = pki.server()
  const feed = createTls({ key, cert }, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url === '/moved')
      response.writeHead(302, { location: 'https://127.0.0.1/x', 'content-length': 0 }).end()
    else response.end('[]')
  })
  const port = await listening(feed)
  const proxy: Server = createPlain()
  proxy.on('connect', (request, client: Socket) => {
    asked.push(`CONNECT ${request.url}`)
    if (answer === 'silence') return
    if (answer === 'refuse') return void client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
  })
  const proxyPort = await listening(proxy)
  const made = makeAgents(`http://127.0.0.1:${proxyPort}`, { ca: pki.authority })
  agents.push(made)
  const bounds = { maxBytes: 1000, wholeMs: 1500, idleMs: 1000, plainHttp: false, isPrivate: null, authorization: null }
  const visit: Visit = { ...bounds, agents: made, signal: new AbortController().signal }
  return { asked, fetch: (url: string) => download(url, join(directory, 'feed'), null, visit) }
}

it('comes through the proxy, which is told the host and checks nothing of what TLS checks', async () => {
  const { asked, fetch } = await site()
  const done = await fetch('https://localhost:8443/all.json')
  expect(readFileSync(join(directory, 'feed'), 'utf8')).toBe('[]')
  expect(done).toMatchObject({ bytes: 2, isPrivate: false })
  expect(asked).toEqual(['CONNECT localhost:8443', 'GET /all.json'])
  // The certificate is not of this one, whoever answers.
  await expect(fetch('https://feeds.example/all.json')).rejects.toMatchObject({ code: 'advisory.feed-unreachable' })
})

it('is not led to a private address by what it answers', async () => {
  const { asked, fetch } = await site()
  await expect(fetch('https://localhost:8443/moved')).rejects.toMatchObject({ code: 'advisory.redirect-refused' })
  expect(asked).toEqual(['CONNECT localhost:8443', 'GET /moved'])
})

it.each(['refuse', 'silence'] as const)('is unreachable where the proxy answers with %s', async (answer) => {
  const { fetch } = await site(answer)
  await expect(fetch('https://localhost:8443/all.json')).rejects.toMatchObject({
    code: 'advisory.feed-unreachable',
    ...(answer === 'refuse' && { detail: expect.stringContaining('the proxy answers 403') }),
  })
})
