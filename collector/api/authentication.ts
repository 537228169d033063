import type { FastifyReply, FastifyRequest } from 'fastify'
import { toBase64Url } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { tokenHash } from '../../shared/evidence/binding.ts'
import type { Actor, ApiRole, ApiToken } from '../model/product.ts'
import type { VendorScope } from '../model/scope.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import type { ApiServices } from './services.ts'

/** RFC 6750 section 2.1; the scheme's name is case-insensitive. */
const AUTHORIZATION = /^bearer +(ksa_[A-Za-z0-9_-]{43})$/i
const TOKEN_SIZE = 32

const actors = new WeakMap<FastifyRequest, Actor>()

/** A hook that lets only tokens of these roles pass. Throws auth.missing and auth.forbidden. */
export function authenticate({ store, clock }: ApiServices, roles: readonly ApiRole[]) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const text = AUTHORIZATION.exec(request.headers.authorization ?? '')?.[1]
    const token = text === undefined ? undefined : await store.apiTokens.byHash(tokenHash(text, hash))
    if (token === undefined || (token.expiresAt !== null && token.expiresAt <= clock())) {
      void reply.header('www-authenticate', 'Bearer')
      throw new KeepsealError('auth.missing')
    }
    if (!roles.includes(token.role)) throw new KeepsealError('auth.forbidden', `role ${token.role}`)
    actors.set(request, token)
  }
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
