import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash, hmac } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { tokenHash } from '../../shared/evidence/binding.ts'
import type { Account } from '../model/account.ts'
import type { Store } from '../store/index.ts'
import type { LoginServices } from './login.ts'
import { assertUsablePassword, hashPassword } from './password.ts'
import { makeRecoveryCodes } from './recovery-codes.ts'
import { acceptedStep, base32, otpauthUri } from './totp.ts'

const SALT_SIZE = 16
const ISSUER = 'Keepseal'

/** Error: auth.invitation-invalid, for one that is unknown, used, too old, or of a disabled account. */
async function invited(store: Store, invitation: string, now: number): Promise<Account> {
  const account = await store.accounts.byInvitation(tokenHash(invitation, hash))
  const isGood = account !== undefined && account.disabledAt === null && (account.invitationExpiresAt ?? 0) > now
  if (!isGood) throw new KeepsealError('auth.invitation-invalid')
  return account
}

/** What the person's app needs. Asking again gives another secret, and the one before is void. */
export async function openInvitation({ store, clock, random, totpSecretOf }: LoginServices, invitation: string) {
  return store.transaction(async (transaction) => {
    const account = await invited(transaction, invitation, clock())
    const totpSalt = random(SALT_SIZE)
    await transaction.accounts.save({ ...account, totpSalt, totpStep: null })
    const secret = totpSecretOf(account.id, totpSalt)
    const uri = otpauthUri(ISSUER, account.login, secret)
    return { login: account.login, name: account.name, totpSecret: base32(secret), totpUri: uri }
  })
}

/**
 * Sets the password when the app has given a right code, and gives the recovery codes, shown once.
 * Errors: auth.invitation-invalid, auth.password-weak, auth.code-wrong.
 */
export async function takeUpInvitation(
  services: LoginServices,
  { invitation, password, code }: { readonly invitation: string; readonly password: string; readonly code: string },
): Promise<readonly string[]> {
  const { store, clock, random, passwordCost } = services
  const now = clock()
  const { login } = await invited(store, invitation, now)
  assertUsablePassword(password, login)
  const stored = await hashPassword(password, random, passwordCost)
  return store.transaction(async (transaction) => {
    const account = await invited(transaction, invitation, now)
    const totpStep = stepOf(services, account, code, now)
    const done = { password: stored, totpStep, invitationHash: null, invitationExpiresAt: null }
    await transaction.accounts.save({ ...account, ...done })
    const texts = await renewRecoveryCodes(transaction, account.id, random)
    await transaction.auditLog.append({
      at: now,
      actor: account.id,
      action: 'account.set-up',
      subject: account.id,
      detail: {},
    })
    return texts
  })
}

function stepOf({ totpSecretOf }: LoginServices, { id, totpSalt }: Account, code: string, now: number): number {
  const step =
    totpSalt === null ? undefined : acceptedStep(hmac, totpSecretOf(id, totpSalt), code.trim(), { now, lastUsed: null })
  if (step === undefined) throw new KeepsealError('auth.code-wrong')
  return step
}

async function renewRecoveryCodes(store: Store, id: string, random: RandomFunction): Promise<readonly string[]> {
  const codes = makeRecoveryCodes(random)
  await store.accounts.replaceRecoveryCodes(
    id,
    codes.map((each) => each.hash),
  )
  return codes.map(({ text }) => text)
}
