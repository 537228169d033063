import { request } from 'node:http'
import { Agent, type AgentOptions, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

/** How long a proxy may take to reach a server, where nothing else is said. */
const CONNECT_MS = 30_000

/**
 * Connections with TLS through a proxy (RFC 9110, section 9.3.6): the proxy is told host and port and sees nothing else;
 * who the server is, its certificate says as it does without.
 */
export class ProxyAgent extends Agent {
  readonly #proxy: URL

  constructor(proxy: string, options: AgentOptions) {
    super(options)
    this.#proxy = new URL(proxy)
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): null {
    // Of a failure there is no stream, whatever the types of Node say.
    const done = (error: Error | null, stream?: Duplex): void => callback?.(error, stream as Duplex)
    const { hostname, port } = this.#proxy
    const host = String(options.host)
    const to = `${host.includes(':') ? `[${host}]` : host}:${String(options.port)}`
    const asked = request({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 80 : port,
      method: 'CONNECT',
      path: to,
      headers: { host: to },
      timeout: options.timeout ?? CONNECT_MS,
    })
    asked.once('connect', ({ statusCode = 0 }, socket, head) => {
      asked.removeAllListeners('timeout')
      if (statusCode < 200 || statusCode > 299 || head.length > 0) {
        socket.destroy()
        done(new Error(`the proxy answers ${statusCode} for ${to}`))
        return
      }
      socket.setTimeout(0)
      done(null, connectTls({ ...(options as ConnectionOptions), socket }))
    })
    // An answer that is none to CONNECT.
    asked.once('response', (response) => {
      response.destroy()
      done(new Error(`the proxy answers ${response.statusCode ?? 0} for ${to}`))
    })
    asked.once('timeout', () => asked.destroy(new Error('the proxy does not answer')))
    asked.once('error', (error) => done(new Error(`the proxy cannot be reached: ${error.message}`)))
    asked.end()
    return null
  }
}
