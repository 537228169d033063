import type { FastifyInstance } from 'fastify'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Actor } from '../../model/product.ts'
import type { VendorScope } from '../../model/scope.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { actorOf, authenticate, LIVE_PATH } from '../authentication.ts'
import { READERS } from '../endpoints/roles.ts'
import type { ApiServices } from '../services.ts'

const HEARTBEAT_MS = 15_000

export interface LiveLimits {
  readonly lookMs: number
  /** A stream ends after it, and the page comes again: whoever has logged out or was disabled is told nothing for long. */
  readonly lifeMs: number
  /** Of everybody, and of one person or token. */
  readonly streams: number
  readonly ofOne: number
}
const LIMITS: LiveLimits = { lookMs: 2_000, lifeMs: 120_000, streams: 500, ofOne: 20 }

/** Devices that one message names; a page that shows others looks anew by itself. */
const MAX_UEIDS = 200

interface Stream {
  readonly actor: Actor
  readonly write: (text: string) => void
  readonly end: () => void
}

/** Those who see the same: looked for once, however many pages are open. */
interface Audience {
  readonly scope: VendorScope | null
  readonly streams: Set<Stream>
  last: number | null
}

/**
 * GET /live: server-sent events (WHATWG HTML, section 9.2) that say which devices have changed, not how: pages ask for
 * that by the API, where roles and binding hold. For everybody who reads.
 */
export function liveRoute(server: FastifyInstance, services: ApiServices): void {
  const audiences = new Map<string, Audience>()
  const limits = { ...LIMITS, ...services.liveLimits }
  let timer: NodeJS.Timeout | undefined
  let looking = false

  const look = async (): Promise<void> => {
    if (looking) return
    looking = true
    try {
      for (const audience of audiences.values()) await tell(services, audience)
    } catch (error) {
      server.log.error({ err: error }, 'changes could not be read')
    } finally {
      looking = false
    }
  }
  const count = (): number => [...audiences.values()].reduce((sum, { streams }) => sum + streams.size, 0)
  const ofOne = ({ id }: Actor): number =>
    [...audiences.values()].flatMap(({ streams }) => [...streams]).filter(({ actor }) => actor.id === id).length

  server.addHook('preClose', async () => {
    clearInterval(timer)
    for (const { streams } of audiences.values()) for (const each of streams) each.end()
  })

  server.route({
    method: 'GET',
    url: LIVE_PATH,
    schema: { hide: true },
    preParsing: async (request, reply, payload) => {
      await authenticate(services, READERS)(request, reply)
      return payload
    },
    handler: async (request, reply) => {
      const actor = actorOf(request)
      if (count() >= limits.streams || ofOne(actor) >= limits.ofOne) {
        throw new KeepsealError('request.rate-limited', 'too many pages are open')
      }
      reply.hijack()
      const headers = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      )
      reply.raw.writeHead(200, {
        ...Object.fromEntries(headers),
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // Ended when the stream is: what is kept open would hold up the end of the collector.
        connection: 'close',
      })
      const stream = { actor, write: (text: string) => void reply.raw.write(text), end: () => reply.raw.end() }
      const leave = join(audiences, stream)
      stream.write('retry: 3000\n\nevent: ready\ndata: {}\n\n')
      const heartbeat = setInterval(() => stream.write(': alive\n\n'), HEARTBEAT_MS)
      const life = setTimeout(stream.end, limits.lifeMs)
      timer ??= setInterval(() => void look(), limits.lookMs)
      // Of the answer, not of the connection, which the browser uses again.
      reply.raw.once('close', () => {
        clearInterval(heartbeat)
        clearTimeout(life)
        leave()
        if (count() > 0) return
        clearInterval(timer)
        timer = undefined
      })
    },
  })
}

function join(audiences: Map<string, Audience>, stream: Stream): () => void {
  const { scope } = stream.actor
  const key = JSON.stringify(scope)
  const audience: Audience = audiences.get(key) ?? { scope, streams: new Set(), last: null }
  audiences.set(key, audience)
  audience.streams.add(stream)
  return () => {
    audience.streams.delete(stream)
    if (audience.streams.size === 0) audiences.delete(key)
  }
}

async function tell({ store }: ApiServices, audience: Audience): Promise<void> {
  const { scope, streams, last } = audience
  const own = scope === null ? store : store.within(scope)
  const changed = await own.fleetPage.changedAfter(last, MAX_UEIDS)
  audience.last = changed.last
  if (changed.ueids.length === 0) return
  const message = `event: devices\ndata: ${JSON.stringify({ ueids: changed.ueids satisfies Ueid[] })}\n\n`
  for (const { write } of streams) write(message)
}
