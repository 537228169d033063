import { toBase64Url } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash, hmac } from '../../shared/crypto/node.ts'
import { tokenHash } from '../../shared/evidence/binding.ts'
import { utf8 } from '../../shared/bytes/bytes.ts'
import type { Account, LoginSession } from '../model/account.ts'
import type { Store } from '../store/index.ts'

/** How long nobody may have used a session, and how long it lasts however much it is used. */
export const IDLE_MS = 30 * 60_000
export const ABSOLUTE_MS = 12 * 3_600_000
/** Within which a further use is not written down. */
const TOUCH_MS = 60_000

/** The prefix binds it to this host, to every path of it and to TLS (RFC 6265bis section 4.1.3.2). */
export const SESSION_COOKIE = '__Host-keepseal'
const SESSION_TEXT = /^[A-Za-z0-9_-]{43}$/

export interface OpenSession {
  readonly account: Account
  readonly session: LoginSession
  /** What the browser holds in its cookie. */
  readonly text: string
  /** What its pages send with whatever changes something: no other site can read it. */
  readonly csrfToken: string
}

/** Not the session itself: it may stand in a page. */
const csrfOf = (text: string): string => toBase64Url(hmac('sha256', utf8(text), utf8('keepseal-csrf-v1')))

/** Within the transaction in which somebody has proven who he is. */
export async function openSession(store: Store, account: Account, now: number, random: RandomFunction) {
  const text = toBase64Url(random(32))
  const session = { tokenHash: tokenHash(text, hash), accountId: account.id, createdAt: now, lastSeenAt: now }
  await store.loginSessions.forgetExpired(now)
  await store.loginSessions.create({ ...session, expiresAt: now + ABSOLUTE_MS })
  return { text, csrfToken: csrfOf(text), expiresAt: now + ABSOLUTE_MS }
}

/**
 * Whose session the cookie of a request names; undefined where there is none any more. `isUse`: a person asks. What a page
 * asks by itself keeps no session from going idle.
 */
export async function sessionOf(
  store: Store,
  cookies: string,
  now: number,
  isUse = true,
): Promise<OpenSession | undefined> {
  const text = cookieNamed(cookies, SESSION_COOKIE)
  if (text === undefined || !SESSION_TEXT.test(text)) return undefined
  const session = await store.loginSessions.byHash(tokenHash(text, hash))
  if (session === undefined) return undefined
  // A clock that was put back lengthens nothing.
  const isOver = now >= session.expiresAt || now >= session.lastSeenAt + IDLE_MS || now < session.createdAt
  const account = isOver ? undefined : await store.accounts.byId(session.accountId)
  if (account === undefined || account.disabledAt !== null) {
    await store.loginSessions.end(session.tokenHash)
    return undefined
  }
  if (isUse && now - session.lastSeenAt >= TOUCH_MS) await store.loginSessions.touch(session.tokenHash, now)
  return { account, session, text, csrfToken: csrfOf(text) }
}

export const cookieOf = (text: string): string => `${SESSION_COOKIE}=${text}; Path=/; Secure; HttpOnly; SameSite=Strict`
export const endedCookie = `${cookieOf('')}; Max-Age=0`

/** The value of a cookie; undefined where it is there twice. */
export function cookieNamed(cookies: string, name: string): string | undefined {
  const found = cookies.split(';').map((each) => each.trim().split('='))
  const values = found.filter(([key]) => key === name).map(([, value]) => value)
  // Two of a name: one of them was put there by somebody else.
  return values.length === 1 ? values[0] : undefined
}
