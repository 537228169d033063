import { equal, utf8 } from '../../shared/bytes/bytes.ts'
import * as nodeCrypto from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import {
  challengeOf,
  credentialVerificationKey,
  readRegistration,
  verifyAssertion,
  type Assertion,
} from '../../shared/webauthn/assertion.ts'
import { authenticatorDataOf } from '../../shared/webauthn/attestation.ts'
import type { RelyingParty } from '../../shared/webauthn/relying-party.ts'
import type { Account } from '../model/account.ts'
import type { Passkey } from '../model/passkey.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import { answered, ask } from './challenges.ts'
import { admit, proven, type Credentials, type LoginServices } from './login.ts'
import { relyingPartyNamed } from './relying-parties.ts'

export interface PasskeyServices extends LoginServices {
  readonly relyingParties: readonly RelyingParty[]
}

const MAX_OF_ONE = 16

/** What an authenticator gives for a login, with what it says whose it is. Nothing of it is checked. */
export interface PasskeyLogin extends Assertion {
  readonly credentialId: Uint8Array
  readonly userHandle: Uint8Array | null
}

export interface PasskeyRegistration {
  readonly name: string
  readonly attestationObject: Uint8Array
  readonly clientDataJson: Uint8Array
}

/** By this the authenticator finds the account again: no login and no name. */
const userHandleOf = ({ id }: Pick<Account, 'id'>): Uint8Array => utf8(id)

/** The same for everybody who asks: no account is named, so nothing is told about any. */
export async function beginPasskeyLogin({ store, clock, random }: PasskeyServices, relyingParty: RelyingParty) {
  const content = { relyingParty: relyingParty.id }
  const question = { purpose: 'passkey-login', accountId: null, content } as const
  return store.transaction((transaction) => ask(transaction, question, { now: clock(), random }))
}

/**
 * Opens a session for whoever has the passkey (WebAuthn Level 3 section 7.2). What is wrong is in the audit log alone.
 * Error: auth.login-failed.
 */
export async function logInByPasskey(services: PasskeyServices, login: PasskeyLogin) {
  const { store, clock } = services
  const passkey = await store.passkeys.byCredential(login.credentialId)
  try {
    const signCount = await checkedLogin(services, login, passkey)
    return await store.transaction(async (transaction) => {
      const account = passkey === undefined ? undefined : await transaction.accounts.byId(passkey.accountId)
      const isOpen = account !== undefined && account.disabledAt === null && account.invitationHash === null
      if (passkey === undefined || !isOpen) throw new KeepsealError('auth.assertion-invalid', 'the account is not open')
      if (!(await transaction.passkeys.use(passkey.id, { from: passkey.signCount, to: signCount }, clock())))
        throw new KeepsealError('auth.assertion-invalid', 'it was used or removed at the same time')
      return admit(services, transaction, account, 'passkey')
    })
  } catch (error) {
    if (!(error instanceof KeepsealError) || !error.code.startsWith('auth.')) throw error
    const refused = { actor: 'nobody', action: 'session.refused', subject: passkey?.accountId ?? '' }
    const detail = { proof: 'passkey', reason: error.message }
    await store.transaction((transaction) => transaction.auditLog.append({ at: clock(), ...refused, detail }))
    throw new KeepsealError('auth.login-failed', undefined, { cause: error })
  }
}

async function checkedLogin(
  { store, clock, relyingParties }: PasskeyServices,
  login: PasskeyLogin,
  passkey: Passkey | undefined,
): Promise<number> {
  const challenge = challengeOf(login.clientDataJson)
  const question = await answered(store, 'passkey-login', challenge, clock())
  if (question === undefined) throw new KeepsealError('auth.challenge-expired')
  if (passkey === undefined) throw new KeepsealError('auth.assertion-invalid', 'an unknown passkey')
  const relyingParty = relyingPartyNamed(relyingParties, passkey.relyingPartyId)
  if (question.content['relyingParty'] !== relyingParty.id)
    throw new KeepsealError('auth.assertion-invalid', 'it is for another host')
  // Section 7.2 step 6: nobody said who comes, so the authenticator has to.
  if (login.userHandle === null || !equal(login.userHandle, userHandleOf({ id: passkey.accountId })))
    throw new KeepsealError('auth.assertion-invalid', 'it is said to be of another account')
  const { key, signCount: lastSignCount } = passkey
  const verificationKey = credentialVerificationKey(key, nodeCrypto)
  return verifyAssertion(login, { relyingParty, challenge, key, verificationKey, lastSignCount }, nodeCrypto)
}

/**
 * For somebody who is logged in and proves himself once more: a session that was left open makes no new key to the
 * account. Errors: auth.login-failed, request.rate-limited, request.conflict.
 */
export async function beginPasskeyRegistration(
  services: PasskeyServices,
  { login, id }: Account,
  credentials: Omit<Credentials, 'login'>,
  relyingParty: RelyingParty,
) {
  const { clock, random } = services
  return proven(services, { login, ...credentials }, async (transaction) => {
    const existing = await transaction.passkeys.listOf(id)
    if (existing.length >= MAX_OF_ONE) throw new KeepsealError('request.conflict', `${MAX_OF_ONE} passkeys are enough`)
    const content = { relyingParty: relyingParty.id }
    const question = { purpose: 'passkey-registration', accountId: id, content } as const
    const challenge = await ask(transaction, question, { now: clock(), random })
    return { challenge, userHandle: userHandleOf({ id }), existing }
  })
}

/**
 * Keeps the credential that was made for this person and this challenge (section 7.1), without asking which model of
 * authenticator it is. Errors: auth.challenge-expired, auth.assertion-invalid, request.conflict.
 */
export async function addPasskey(
  { store, clock, random, relyingParties }: PasskeyServices,
  account: Account,
  { name, attestationObject, clientDataJson }: PasskeyRegistration,
): Promise<Passkey> {
  const now = clock()
  const challenge = challengeOf(clientDataJson)
  const question = await answered(store, 'passkey-registration', challenge, now)
  if (question?.accountId !== account.id) throw new KeepsealError('auth.challenge-expired')
  const relyingParty = relyingPartyNamed(relyingParties, question.content['relyingParty'] ?? '')
  const authenticatorData = authenticatorDataOf(attestationObject)
  const credential = readRegistration({ authenticatorData, clientDataJson }, { relyingParty, challenge }, nodeCrypto)
  const passkey: Passkey = {
    id: makeId('pky', now, random),
    accountId: account.id,
    name,
    credentialId: credential.id,
    key: credential.key,
    relyingPartyId: relyingParty.id,
    signCount: credential.signCount,
    createdAt: now,
    lastUsedAt: null,
  }
  await store.transaction(async (transaction) => {
    const current = await transaction.accounts.byId(account.id)
    // Meanwhile somebody may have disabled the account, or reset it.
    if (current === undefined || current.disabledAt !== null || current.invitationHash !== null)
      throw new KeepsealError('auth.challenge-expired')
    await transaction.passkeys.create(passkey)
    await noted(transaction, 'passkey.add', passkey, now)
  })
  return passkey
}

/** Error: request.not-found, also for somebody else's. */
export async function removePasskey({ store, clock }: PasskeyServices, account: Account, id: string): Promise<void> {
  await store.transaction(async (transaction) => {
    if (!(await transaction.passkeys.remove(account.id, id)))
      throw new KeepsealError('request.not-found', `passkey ${id}`)
    await noted(transaction, 'passkey.remove', { id, accountId: account.id }, clock())
  })
}

async function noted(store: Store, action: string, passkey: Pick<Passkey, 'id' | 'accountId'>, at: number) {
  const { id, accountId } = passkey
  await store.auditLog.append({ at, actor: accountId, action, subject: accountId, detail: { passkey: id } })
}
