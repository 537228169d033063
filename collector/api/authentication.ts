import type { FastifyReply, FastifyRequest } from 'fastify'
import { toBase64Url, utf8 } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { equalConstantTime, hash } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { tokenHash } from '../../shared/evidence/binding.ts'
import { sessionOf } from '../access/sessions.ts'
import type { Actor, ApiRole, ApiToken } from '../model/product.ts'
import type { VendorScope } from '../model/scope.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import type { ApiServices } from './services.ts'

/** RFC 6750 section 2.1; the scheme's name is case-insensitive. */
const AUTHORIZATION = /^bearer +(ksa_[A-Za-z0-9_-]{43})$/i
const TOKEN_SIZE = 32

const actors = new WeakMap<FastifyRequest, Actor>()

/**
 * A hook that lets only these roles pass, by an API token or by the session of a person who has logged in. Throws
 * auth.missing, auth.forbidden and auth.csrf-missing.
 */
export function authenticate(services: Pick<ApiServices, 'store' | 'clock'>, roles: readonly ApiRole[]) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    // A token that is none is no reason to look at a cookie.
    const byToken = request.headers.authorization !== undefined
    const actor = byToken ? await tokenOf(services, request) : (await sessionOfRequest(services, request))?.account
    if (actor === undefined) {
      void reply.header('www-authenticate', 'Bearer')
      throw new KeepsealError('auth.missing')
    }
    if (!roles.includes(actor.role)) throw new KeepsealError('auth.forbidden', `role ${actor.role}`)
    actors.set(request, actor)
  }
}

async function tokenOf({ store, clock }: Pick<ApiServices, 'store' | 'clock'>, request: FastifyRequest) {
  const text = AUTHORIZATION.exec(request.headers.authorization ?? '')?.[1]
  const token = text === undefined ? undefined : await store.apiTokens.byHash(tokenHash(text, hash))
  return token !== undefined && (token.expiresAt === null || token.expiresAt > clock()) ? token : undefined
}

/** Pages hold it open, and open it again, by themselves. */
export const LIVE_PATH = '/live'

/** Sent by a page with what nobody has asked it for, such as what has changed meanwhile. */
const BACKGROUND_HEADER = 'x-keepseal-background'

/** What only reads (RFC 9110 section 9.2.1). */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/**
 * The session that a request comes with. What changes something has to say the session's token besides: a browser sends
 * its cookies by itself, a page of somebody else cannot know that one. Error: auth.csrf-missing.
 */
export async function sessionOfRequest(
  { store, clock }: Pick<ApiServices, 'store' | 'clock'>,
  request: FastifyRequest,
) {
  const { cookie, 'x-csrf-token': given, 'sec-fetch-site': site = 'same-origin' } = request.headers
  const isUse = request.headers[BACKGROUND_HEADER] === undefined && !request.url.endsWith(LIVE_PATH)
  const opened = cookie === undefined ? undefined : await sessionOf(store, cookie, clock(), isUse)
  if (opened === undefined || SAFE_METHODS.includes(request.method)) return opened
  const isRight = typeof given === 'string' && equalConstantTime(utf8(given), utf8(opened.csrfToken))
  if (!isRight || (site !== 'same-origin' && site !== 'none')) throw new KeepsealError('auth.csrf-missing')
  return opened
}

/** Who asks. Only within a handler behind `authenticate`. */
export function actorOf(request: FastifyRequest): Actor {
  const actor = actors.get(request)
  if (actor === undefined) throw new KeepsealError('internal.failure', 'a route without authentication')
  return actor
}

/** A new secret `kse_…` or `ksa_…`: shown once, stored as its hash. */
export function makeToken(prefix: 'kse' | 'ksa', random: RandomFunction): { text: string; hash: Uint8Array } {
  const text = `${prefix}_${toBase64Url(random(TOKEN_SIZE))}`
  return { text, hash: tokenHash(text, hash) }
}

export interface NewApiToken {
  readonly name: string
  readonly role: ApiRole
  /** null: bound to no vendor. */
  readonly scope: VendorScope | null
  readonly expiresAt: number | null
}

/** Makes an API token, for whoever sets the collector up. The text is given back once and is nowhere else. */
export async function createApiToken(
  store: Store,
  { name, role, scope, expiresAt }: NewApiToken,
  { now, random }: { readonly now: number; readonly random: RandomFunction },
): Promise<{ readonly token: ApiToken; readonly text: string }> {
  const secret = makeToken('ksa', random)
  const token = { id: makeId('api', now, random), name, tokenHash: secret.hash, role, scope, createdAt: now, expiresAt }
  await store.transaction(async (transaction) => {
    await transaction.apiTokens.create(token)
    const detail = { name, role, scope }
    await transaction.auditLog.append({
      at: now,
      actor: 'collector',
      action: 'api-token.create',
      subject: token.id,
      detail,
    })
  })
  return { token, text: secret.text }
}
