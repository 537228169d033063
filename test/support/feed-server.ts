import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach } from 'vitest'

/** What the server does at one address. */
export interface Served {
  readonly body?: string | Buffer
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly redirect?: string
  /** Ends the connection after so many bytes, as often as is said. */
  readonly cutAfter?: number
  readonly cuts?: number
  /** Between pieces of the body, each of so many bytes. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number }
  /** Whether it has validators and takes ranges; it does without. */
  readonly plain?: boolean
}

export interface Asked {
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/** A server of feeds that does what a test tells it to, also what no server should. */
export class FeedServer {
  readonly asked: Asked[] = []
  readonly #served = new Map<string, Served>()
  readonly #cuts = new Map<string, number>()
  readonly #server = createServer((request, response) => this.#answer(request, response))

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  serve(path: string, served: Served): void {
    this.#served.set(path, served)
    this.#cuts.delete(path)
  }

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/'
    this.asked.push({ path, headers: request.headers })
    const served = this.#served.get(path)
    if (served === undefined) return void response.writeHead(404, { 'content-length': 0 }).end()
    const { redirect, status = 200, headers = {}, plain = false } = served
    if (redirect !== undefined) return void response.writeHead(302, { location: redirect, 'content-length': 0 }).end()
    const body = Buffer.from(served.body ?? '')
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`
    const validators = plain ? {} : { etag, 'accept-ranges': 'bytes' }
    if (!plain && status === 200 && request.headers['if-none-match'] === etag) {
      return void response.writeHead(304, validators).end()
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
    const isPart = !plain && range !== null && request.headers['if-range'] === etag
    const from = isPart ? Number(range[1]) : 0
    const content = body.subarray(from)
    response.writeHead(isPart ? 206 : status, {
      'content-length': content.length,
      ...(isPart ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
      ...validators,
      ...headers,
    })
    const cut = this.#cuts.get(path) ?? served.cuts ?? Infinity
    if (served.cutAfter !== undefined && cut > 0) {
      this.#cuts.set(path, cut - 1)
      response.write(content.subarray(0, served.cutAfter), () => setTimeout(() => response.destroy(), 250))
    } else if (served.drip === undefined) response.end(content)
    else drip(response, content, served.drip)
  }
}

function drip(response: ServerResponse, content: Buffer, { bytes, everyMs }: NonNullable<Served['drip']>): void {
  let at = 0
  const timer = setInterval(() => {
    if (at >= content.length || response.destroyed) {
      clearInterval(timer)
      response.end()
      return
    }
    response.write(content.subarray(at, at + bytes))
    at += bytes
  }, everyMs)
  response.on('close', () => clearInterval(timer))
}

/** One for each test. */
export function useFeedServer(): () => FeedServer {
  let server: FeedServer | undefined
  beforeEach(async () => {
    server = new FeedServer()
    await server.start()
  })
  afterEach(() => server?.stop())
  return () => {
    if (server === undefined) throw new Error('only within a test')
    return server
  }
}
