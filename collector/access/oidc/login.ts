import { fromBase64Url, toBase64Url, toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { hmac, sha256 } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Account } from '../../model/account.ts'
import { printable } from '../../../shared/text/printable.ts'
import { makeId } from '../../store/ids.ts'
import type { Store } from '../../store/index.ts'
import { answered, ask } from '../challenges.ts'
import { admit } from '../login.ts'
import type { OidcLogins, OidcPerson, OidcSecrets } from './provider.ts'
import { roleOf, type ClaimRole } from './roles.ts'

export interface OidcServices {
  readonly store: Store
  readonly clock: () => number
  readonly random: RandomFunction
  readonly provider: OidcLogins
}

/** Long enough for a login with everything that a provider asks for. */
const LOGIN_MS = 600_000
/** The browser's half of a login that is under way: whoever has only the other half, an address, can do nothing with it. */
export const OIDC_COOKIE = '__Host-keepseal-oidc'
/** Lax: the browser comes back from another site. */
export const oidcCookie = (text: string): string =>
  `${OIDC_COOKIE}=${text}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${text === '' ? 0 : LOGIN_MS / 1000}`

/** Both from what the browser holds: the database knows neither. */
function secretsOf(browser: Uint8Array, state: string): OidcSecrets {
  const derived = (label: string) => toBase64Url(hmac('sha256', browser, utf8(`keepseal-oidc-${label}-v1`)))
  return { state, nonce: derived('nonce'), codeVerifier: derived('code-verifier') }
}

/** Where to send the browser, and what it has to hold until it comes back. Errors: oidc.*. */
export async function beginOidcLogin({ store, clock, random, provider }: OidcServices, returnTo: string) {
  const browser = random(32)
  const content = { browser: toHex(sha256(browser)), returnTo }
  const question = { purpose: 'oidc-login', accountId: null, content } as const
  const when = { now: clock(), random, lastsMs: LOGIN_MS }
  const state = toBase64Url(await store.transaction((transaction) => ask(transaction, question, when)))
  return { url: await provider.address(secretsOf(browser, state)), cookie: toBase64Url(browser) }
}

/**
 * Opens a session for whoever the provider says that it is. Each login says anew what role that person has: the account
 * follows, and where nothing is said its sessions end. Errors: oidc.*, auth.challenge-expired, auth.forbidden.
 */
export async function finishOidcLogin(services: OidcServices, query: URLSearchParams, cookie: string | undefined) {
  const { store, clock, provider } = services
  const state = query.get('state') ?? ''
  const browser = bytesOf(cookie)
  const asked = bytesOf(state)
  // Used up whatever comes of it.
  const question = asked === undefined ? undefined : await answered(store, 'oidc-login', asked, clock(), LOGIN_MS)
  if (browser === undefined || question?.content['browser'] !== toHex(sha256(browser)))
    throw new KeepsealError('auth.challenge-expired')
  try {
    const person = await provider.person(query, secretsOf(browser, state))
    const role = roleOf(provider.settings.roles, person.claim)
    if (role === undefined) await endSessionsOf(store, person)
    if (role === undefined) throw new KeepsealError('oidc.no-role')
    const opened = await store.transaction(async (transaction) => {
      const account = await accountOf(services, transaction, person, role)
      if (account.disabledAt !== null) throw new KeepsealError('auth.forbidden', 'the account is disabled')
      return admit(services, transaction, account, 'oidc')
    })
    return { opened, returnTo: question.content['returnTo'] ?? '/' }
  } catch (error) {
    if (!(error instanceof KeepsealError)) throw error
    const refused = { at: clock(), actor: 'nobody', action: 'session.refused', subject: '' }
    const detail = { proof: 'oidc', reason: error.code }
    await store.transaction((transaction) => transaction.auditLog.append({ ...refused, detail }))
    throw error
  }
}

function bytesOf(text: string | undefined): Uint8Array | undefined {
  return text !== undefined && /^[\w-]{43}$/.test(text) ? unlessMalformed(text) : undefined
}

function unlessMalformed(text: string): Uint8Array | undefined {
  try {
    return fromBase64Url(text)
  } catch {
    return undefined
  }
}

async function endSessionsOf(store: Store, { issuer, subject }: OidcPerson): Promise<void> {
  const id = await store.oidcIdentities.accountOf(issuer, subject)
  if (id !== undefined) await store.loginSessions.endAllOf(id)
}

/** By issuer and subject alone: names and addresses of mail can change hands. */
async function accountOf(
  { clock, random }: OidcServices,
  store: Store,
  { issuer, subject, name: said }: OidcPerson,
  { role, scope }: ClaimRole,
): Promise<Account> {
  const name = printable(said).slice(0, 64)
  const now = clock()
  const known = await store.oidcIdentities.accountOf(issuer, subject)
  const found = known === undefined ? undefined : await store.accounts.byId(known)
  if (found !== undefined) {
    const account = { ...found, name, role, scope }
    if (JSON.stringify(account) !== JSON.stringify(found)) {
      await store.accounts.save(account)
      const detail = { name, role, scope }
      await store.auditLog.append({ at: now, actor: 'collector', action: 'account.follow', subject: found.id, detail })
    }
    return account
  }
  const login = `oidc-${toHex(sha256(utf8(JSON.stringify([issuer, subject])))).slice(0, 32)}`
  const without = { password: null, totpSalt: null, totpStep: null, invitationHash: null, invitationExpiresAt: null }
  const account = {
    id: makeId('acc', now, random),
    login,
    name,
    role,
    scope,
    ...without,
    createdAt: now,
    disabledAt: null,
  }
  await store.accounts.create(account)
  await store.oidcIdentities.create({ issuer, subject, accountId: account.id })
  const detail = { login, name, role, scope, issuer }
  await store.auditLog.append({ at: now, actor: 'collector', action: 'account.create', subject: account.id, detail })
  return account
}
