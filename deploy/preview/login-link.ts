import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isLoopbackHost } from '../../shared/config/url-types.ts'
import type { PreviewPerson } from './person.ts'
import type { PreviewPorts } from './ports.ts'

export interface LoginLink {
  /** To be shown to whoever sits at this machine. The one before is void. */
  next(): string
  stop(): Promise<void>
}

const TOKEN_BYTES = 32

/** Both that the name `localhost` can stand for. */
const ADDRESSES = ['127.0.0.1', '::1']

/**
 * A listener on loopback whose one address logs a browser in, once: it answers with the session's cookie, which holds for
 * every port of this host, and sends the browser on, to the name that it came by: a cookie of `localhost` is none of
 * `127.0.0.1`. The collector itself knows no such link: whoever follows it is the
 * preview's person, who has logged in as everybody does.
 */
export async function openLink(
  ports: PreviewPorts,
  person: Pick<PreviewPerson, 'logIn'>,
  say: (line: string) => void,
): Promise<LoginLink> {
  let token: Buffer | undefined
  const next = (): string => {
    token = randomBytes(TOKEN_BYTES)
    return `http://localhost:${ports.link}/${token.toString('base64url')}`
  }
  const take = (given: string): boolean => {
    const bytes = Buffer.from(given, 'base64url')
    if (token === undefined || bytes.length !== TOKEN_BYTES || !timingSafeEqual(bytes, token)) return false
    token = undefined
    return true
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { host = '' } = request.headers
    response.setHeader('cache-control', 'no-store').setHeader('referrer-policy', 'no-referrer')
    // The name too: a page elsewhere can have its own name resolved to this machine.
    const name = host.replace(/:\d+$/, '')
    const isHere = isLoopbackHost(name)
    // The collector's pages are on the address of IPv4; the link is not used up by whoever came by that of IPv6.
    if (isHere && name.startsWith('[')) {
      response.writeHead(303, { location: `http://localhost:${ports.link}${request.url ?? '/'}` }).end()
      return
    }
    if (!isHere || request.method !== 'GET' || !take((request.url ?? '').slice(1))) {
      response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' })
      response.end('This link was used, or is none. The preview prints another one in its terminal.\n')
      return
    }
    const cookie = await person.logIn()
    response.writeHead(303, { location: `http://${name}:${ports.plain}/`, 'set-cookie': cookie }).end()
    say(`The link was used. Another one: ${next()}`)
  }
  const servers = ADDRESSES.map((address) => ({
    address,
    server: createServer((request, response) => {
      answer(request, response).catch(() => response.writeHead(500).end('The collector does not answer.\n'))
    }),
  }))
  for (const { server, address } of servers) {
    await new Promise<void>((resolve, reject) => {
      // A machine without IPv6 has no ::1, and needs none.
      server.once('error', (error) => (address === '127.0.0.1' ? reject(error) : resolve()))
      server.listen(ports.link, address, resolve)
    })
  }
  return {
    next,
    stop: async () => {
      for (const { server } of servers) {
        await new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        })
      }
    },
  }
}
