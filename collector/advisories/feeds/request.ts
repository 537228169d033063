import { Agent as PlainAgent, request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as TlsAgent, request as requestTls, type AgentOptions as TlsOptions } from 'node:https'
import { isLoopbackHost } from '../../../shared/config/url-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { assertPublicLiteral, isPublicAddress, publicLookup } from './addresses.ts'
import { ProxyAgent } from './proxy.ts'

/** How far one goes to get a file. */
export interface Visit {
  readonly maxBytes: number
  /** Of the whole file, and of silence. */
  readonly wholeMs: number
  readonly idleMs: number
  readonly plainHttp: boolean
  /** Null: nobody knows yet, and the first server that answers says it. Otherwise as it is for all that it names. */
  readonly isPrivate: boolean | null
  /** Told to servers of this origin alone. */
  readonly authorization: { readonly origin: string; readonly value: string } | null
  readonly agents: Agents
  /** Aborted when the collector ends. */
  readonly signal: AbortSignal
}

/** Connections that are used again for the files of one feed. */
export interface Agents {
  readonly plain: PlainAgent
  readonly tls: TlsAgent
  /** What is got by TLS comes through a proxy, whose address says nothing of the server's. */
  readonly isProxied: boolean
}

/** `proxy`: its address; empty: none. `tls`: what else counts for connections with TLS. */
export const makeAgents = (proxy = '', tls: TlsOptions = {}): Agents => {
  const options = { keepAlive: true, maxSockets: 4 }
  const withTls = { ...options, ...tls }
  return {
    plain: new PlainAgent(options),
    tls: proxy === '' ? new TlsAgent(withTls) : new ProxyAgent(proxy, withTls),
    isProxied: proxy !== '',
  }
}

interface Opened {
  readonly response: IncomingMessage
  readonly isPrivate: boolean
  readonly end: Deadline
}

const MAX_REDIRECTS = 5
const MAX_DISCARDED = 65_536
const REDIRECTS: readonly (number | undefined)[] = [301, 302, 303, 307, 308]

export const unreachable = (url: string, why: string, cause?: unknown): KeepsealError =>
  new KeepsealError('advisory.feed-unreachable', `${url}: ${why}`, { cause })

/** An answer, and not the file. */
export class BadStatus extends KeepsealError {
  readonly status: number
  /** As the server says it (RFC 9110, section 10.2.3). */
  readonly retryAfter: string | null

  constructor(url: string, status: number, retryAfter: string | null = null) {
    super('advisory.feed-unreachable', `${url}: status ${status}`)
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** Ends a request that takes too long, and remembers that it did. */
class Deadline {
  reason: string | undefined
  readonly #whole: NodeJS.Timeout
  #current: (() => void) | undefined

  constructor(ms: number) {
    this.#whole = setTimeout(() => this.expire(`it took longer than ${ms / 1000} s`), ms)
  }

  watch(destroy: () => void): void {
    this.#current = destroy
    if (this.reason !== undefined) destroy()
  }

  expire(reason: string): void {
    this.reason ??= reason
    this.#current?.()
  }

  settle(): void {
    clearTimeout(this.#whole)
  }
}

/** Follows redirects to an answer, whose body is still to be read. Call `end.settle` afterwards. */
export async function open(url: string, headers: Readonly<Record<string, string>>, visit: Visit): Promise<Opened> {
  const end = new Deadline(visit.wholeMs)
  let { isPrivate } = visit
  let at = new URL(url)
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      // The configuration names the first address; whatever servers name must be as public as they are.
      const isGuarded = isPrivate === false
      const response = await ask(at, headers, visit, isGuarded, end)
      const { remoteAddress: address } = response.socket
      // Through a proxy nobody sees where it led to, nor of a connection that is over already: that frees from nothing.
      const isUnseen = (visit.agents.isProxied && at.protocol === 'https:') || address === undefined
      isPrivate ??= !isUnseen && !isPublicAddress(address)
      if (!REDIRECTS.includes(response.statusCode)) return { response, isPrivate, end }
      discard(response)
      at = next(at, response.headers.location, visit)
    }
    throw new KeepsealError('advisory.redirect-refused', `${url}: more than ${MAX_REDIRECTS} redirects`)
  } catch (error) {
    end.settle()
    if (error instanceof KeepsealError) throw error
    throw unreachable(url, end.reason ?? reasonOf(error), error)
  }
}

/** An attempt on each address of a name ends in an error that gathers them and has no text of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error && error.message !== '' ? error.message : 'no answer'
}

/** Errors: advisory.redirect-refused. */
function next(from: URL, location: string | undefined, { plainHttp }: Visit): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new KeepsealError('advisory.redirect-refused', `${from.href}: to no address`)
  }
  const to = new URL(location, from.href)
  assertMayName(from, to, plainHttp)
  return to
}

/**
 * Where what was got at one address may send to: nowhere without TLS, unless the configuration says so, or all of it is on
 * this machine. Error: advisory.redirect-refused.
 */
export function assertMayName(from: URL, to: URL, plainHttp: boolean): void {
  const isPlainAllowed = plainHttp || (from.protocol === 'http:' && isLoopbackHost(to.hostname))
  const isAllowed = to.protocol === 'https:' || (to.protocol === 'http:' && isPlainAllowed)
  if (!isAllowed || to.username !== '' || to.password !== '') {
    throw new KeepsealError('advisory.redirect-refused', `${from.href}: to ${to.protocol}//${to.host}`)
  }
}

function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { idleMs, authorization, signal, agents }: Visit,
  isGuarded: boolean,
  end: Deadline,
): Promise<IncomingMessage> {
  if (isGuarded) assertPublicLiteral(url)
  const options: RequestOptions = {
    agent: url.protocol === 'http:' ? agents.plain : agents.tls,
    signal,
    timeout: idleMs,
    headers: {
      'user-agent': 'keepseal-collector',
      accept: '*/*',
      // What is not encoded can be gone on with after a break.
      'accept-encoding': 'identity',
      ...headers,
      ...(authorization !== null && authorization.origin === url.origin ? { authorization: authorization.value } : {}),
    },
    ...(isGuarded ? { lookup: publicLookup } : {}),
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'http:' ? requestPlain : requestTls)(url, options)
    end.watch(() => request.destroy(new Error(end.reason)))
    request.on('timeout', () => end.expire(`nothing came for ${idleMs / 1000} s`))
    request.on('error', reject)
    request.on('response', (response) => {
      end.watch(() => response.destroy(new Error(end.reason)))
      resolve(response)
    })
    request.end()
  })
}

/** An answer whose body nobody wants. */
export function discard(response: IncomingMessage): void {
  response.on('error', () => undefined)
  // A short one costs less than another connection.
  if (Number(response.headers['content-length'] ?? MAX_DISCARDED) < MAX_DISCARDED) response.resume()
  else response.destroy()
}
