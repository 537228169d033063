import { utf8 } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash, hmac } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Account } from '../model/account.ts'
import type { Store } from '../store/index.ts'
import { hashPassword, verifyPassword, type PasswordCost } from './password.ts'
import { hashRecoveryCode } from './recovery-codes.ts'
import { openSession } from './sessions.ts'
import { acceptedStep } from './totp.ts'

/** What logging in works with. */
export interface LoginServices {
  readonly store: Store
  readonly clock: () => number
  readonly random: RandomFunction
  /** The secret of somebody's one-time codes, from a key that is in no database. */
  readonly totpSecretOf: (accountId: string, salt: Uint8Array) => Uint8Array
  readonly passwordCost: PasswordCost
}

export interface Credentials {
  readonly login: string
  readonly password: string
  /** Six digits of the app, or one of the recovery codes. */
  readonly code: string
}

/** Mistakes that cost nothing; each further one doubles the time in which nobody is let in under this name. */
const FREE_FAILURES = 5
const FIRST_BLOCK_MS = 30_000
const MAX_BLOCK_MS = 3_600_000
const FORGET_FAILURES_MS = 24 * 3_600_000

export const blockedMsAfter = (failures: number): number =>
  failures < FREE_FAILURES ? 0 : Math.min(FIRST_BLOCK_MS * 2 ** (failures - FREE_FAILURES), MAX_BLOCK_MS)

/** What somebody has proven himself by. */
export type Proof = 'totp' | 'recovery-code' | 'passkey' | 'oidc'

/**
 * Opens a session. Whatever is wrong (no such login, the password, the code, a disabled account), the answer is the same
 * and takes as long. Errors: auth.login-failed; request.rate-limited while the name is blocked, known or not.
 */
export const logIn = (services: LoginServices, credentials: Credentials) =>
  proven(services, credentials, (transaction, account, proof) => admit(services, transaction, account, proof))

/** Within the transaction in which somebody has proven who he is. */
export async function admit(
  { clock, random }: Pick<LoginServices, 'clock' | 'random'>,
  transaction: Store,
  account: Account,
  proof: Proof,
) {
  const now = clock()
  const { id } = account
  await transaction.auditLog.append({ at: now, actor: id, action: 'session.open', subject: id, detail: { proof } })
  return { account, ...(await openSession(transaction, account, now, random)) }
}

/**
 * Calls `then` in the transaction in which password and code turned out to be right. Errors: auth.login-failed,
 * request.rate-limited.
 */
export async function proven<T>(
  services: LoginServices,
  { login: typed, password, code }: Credentials,
  then: (transaction: Store, account: Account, proof: Proof) => Promise<T>,
): Promise<T> {
  const { store, clock, random, passwordCost } = services
  const login = typed.trim().toLowerCase()
  const loginHash = new Uint8Array(hash('sha256', utf8(login)))
  const now = clock()
  await countAttempt(store, loginHash, now)
  const account = await store.accounts.byLogin(login)
  const { isRight, isOutdated } = await verifyPassword(password, account?.password ?? undefined, passwordCost)
  const renewed = isRight && isOutdated ? await hashPassword(password, random, passwordCost) : undefined
  const done = await store.transaction(async (transaction) => {
    // Read again: meanwhile somebody may have disabled the account, or reset it.
    const current = account === undefined ? undefined : await transaction.accounts.byId(account.id)
    const isSame = current !== undefined && current.password === account?.password && current.disabledAt === null
    const proof =
      isSame && isRight && current.invitationHash === null
        ? await useCode(services, transaction, current, code, now)
        : undefined
    const subject = current?.id ?? ''
    if (current === undefined || proof === undefined) {
      await transaction.auditLog.append({ at: now, actor: 'nobody', action: 'session.refused', subject, detail: {} })
      return undefined
    }
    if (renewed !== undefined)
      await transaction.accounts.save({ ...((await transaction.accounts.byId(subject)) ?? current), password: renewed })
    await transaction.loginSessions.clearFailures(loginHash)
    return { result: await then(transaction, current, proof) }
  })
  if (done === undefined) throw new KeepsealError('auth.login-failed')
  return done.result
}

/** Before anything is looked at, so that many attempts at once count as many: success takes the count away again. */
async function countAttempt(store: Store, loginHash: Uint8Array, now: number): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.loginSessions.forgetFailures(now - FORGET_FAILURES_MS)
    const known = await transaction.loginSessions.failuresOf(loginHash)
    // A block ends at the latest after its longest time, also when the clock was put back.
    if (known !== undefined && known.blockedUntil > now && known.blockedUntil <= now + MAX_BLOCK_MS) {
      const seconds = Math.ceil((known.blockedUntil - now) / 1000)
      throw new KeepsealError('request.rate-limited', `logging in under this name is blocked for ${seconds} s`)
    }
    const failures = (known?.failures ?? 0) + 1
    await transaction.loginSessions.saveFailures(loginHash, failures, now, now + blockedMsAfter(failures))
  })
}

async function useCode(
  { totpSecretOf }: LoginServices,
  store: Store,
  { id, totpSalt, totpStep }: Account,
  typed: string,
  now: number,
): Promise<Proof | undefined> {
  const code = typed.replaceAll(/[\s-]/g, '')
  if (/^[0-9]{6}$/.test(code)) {
    if (totpSalt === null) return undefined
    const step = acceptedStep(hmac, totpSecretOf(id, totpSalt), code, { now, lastUsed: totpStep })
    return step !== undefined && (await store.accounts.useTotpStep(id, step)) ? 'totp' : undefined
  }
  return (await store.accounts.useRecoveryCode(id, hashRecoveryCode(code))) ? 'recovery-code' : undefined
}
