import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import { toHex } from '../../../shared/bytes/bytes.ts'
import {
  packStatuses,
  signStatusList,
  STATUS_LIST_TTL,
  STATUS_LIST_TYPE,
  statusesOf,
} from '../../../shared/certificate/status-list.ts'
import { STATUS_LIFETIME_SECONDS } from '../../../shared/certificate/status.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { deflateZlib } from '../../zlib.ts'
import type { ApiServices } from '../services.ts'
import { isCached } from './caching.ts'

/** Of everybody together behind one address. */
const REQUESTS_PER_MINUTE = 60

/** Where the list of this collector is: what its certificates name. */
export const statusListUri = (publicUrl: string): string => `${publicUrl.replace(/\/+$/, '')}/status-lists/1`

interface SignedList {
  readonly content: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly bytes: Uint8Array
  readonly digest: string
}

/** A Fastify plugin: all certificates in one list, so that whoever checks many asks once, and tells nobody which. */
export async function statusListRoutes(server: FastifyInstance, services: ApiServices): Promise<void> {
  let held: SignedList | undefined
  await server.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: () => new KeepsealError('request.rate-limited'),
  })
  server.get('/1', async (request, reply) => {
    const now = Math.floor(services.clock() / 1000)
    held = await current(services, now, held)
    if (isCached(request, reply, { ...held, form: 'cwt' }, now)) return reply.code(304).send()
    return reply.type(STATUS_LIST_TYPE).send(Buffer.from(held.bytes))
  })
}

/** Signed anew when something in it changes, or half of its life is over. */
async function current(
  { decisions, keys, publicUrl }: ApiServices,
  now: number,
  held: SignedList | undefined,
): Promise<SignedList> {
  const register = await decisions.register()
  if (register.head === null) throw new KeepsealError('request.not-found', 'the decision log has not begun')
  const list = packStatuses(statusesOf(register, now))
  const content = toHex(hash('sha256', list))
  const isYoung = held !== undefined && now >= held.issuedAt && now - held.issuedAt < STATUS_LIFETIME_SECONDS / 2
  if (isYoung && held.content === content) return held
  const times = { issuedAt: now, expiresAt: now + STATUS_LIFETIME_SECONDS }
  const signed = { uri: statusListUri(publicUrl), ...times, ttl: STATUS_LIST_TTL, bytes: list }
  const bytes = await signStatusList(signed, keys.signer, deflateZlib)
  return { content, ...times, bytes, digest: toHex(hash('sha256', bytes)) }
}
