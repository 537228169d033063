import type { FastifyReply, FastifyRequest } from 'fastify'
import type { logIn } from '../access/login.ts'
import { PASSWORD_COST } from '../access/password.ts'
import type { PasskeyServices } from '../access/passkeys.ts'
import { relyingPartiesOf } from '../access/relying-parties.ts'
import { cookieOf, sessionOf } from '../access/sessions.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Account } from '../model/account.ts'
import { toTime } from './schemas.ts'
import type { ApiServices } from './services.ts'

export const accountJson = ({ id, login, name, role, scope }: Account) => ({
  id,
  login,
  name,
  role,
  vendor: scope?.vendor ?? null,
  products: scope?.products ?? null,
})

export const loginServicesOf = (services: ApiServices): PasskeyServices => {
  const { store, clock, random, keys, passwordCost, publicUrl, plainPort } = services
  return {
    store,
    clock,
    random,
    totpSecretOf: (account, salt) => keys.totpSecretOf(account, salt),
    passwordCost: passwordCost ?? PASSWORD_COST,
    relyingParties: relyingPartiesOf(publicUrl, plainPort ?? null),
  }
}

/** What a page of another site has a browser send is no login. Error: auth.csrf-missing. */
export function assertFromHere({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'] ?? 'same-origin'
  if (site !== 'same-origin' && site !== 'none') throw new KeepsealError('auth.csrf-missing')
}

/** The session that somebody has proven himself for takes the place of the one that his browser had before. */
export async function sendOpened(
  { store, clock }: Pick<ApiServices, 'store' | 'clock'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { account, text, csrfToken, expiresAt }: Awaited<ReturnType<typeof logIn>>,
) {
  const { cookie } = request.headers
  const before = cookie === undefined ? undefined : await sessionOf(store, cookie, clock())
  if (before !== undefined) await store.loginSessions.end(before.session.tokenHash)
  void reply.header('set-cookie', cookieOf(text)).code(201)
  return { account: accountJson(account), csrfToken, expiresAt: toTime(expiresAt) }
}
