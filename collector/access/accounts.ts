import { toBase64Url } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { tokenHash } from '../../shared/evidence/binding.ts'
import type { Account } from '../model/account.ts'
import type { Actor, ApiRole } from '../model/product.ts'
import type { VendorScope } from '../model/scope.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'

const INVITATION_MS = 72 * 3_600_000

export interface NewAccount {
  readonly login: string
  readonly name: string
  readonly role: ApiRole
  /** null: bound to no vendor. */
  readonly scope: VendorScope | null
}

interface Circumstances {
  readonly now: number
  readonly random: RandomFunction
  /** Id of who does it; `collector` for whoever has its files. */
  readonly by: string
}

/** Letters, digits and what addresses have, in lower case. */
export const LOGIN = /^[a-z0-9][a-z0-9._@+-]{2,63}$/

function invitation(now: number, random: RandomFunction) {
  const text = `ksi_${toBase64Url(random(32))}`
  return { text, invitationHash: tokenHash(text, hash), invitationExpiresAt: now + INVITATION_MS }
}

/**
 * Makes an account that nobody can use yet. Whoever has the invitation, shown once, sets password and one-time codes; who
 * made the account never knows either. Error: request.conflict.
 */
export async function createAccount(store: Store, account: NewAccount, { now, random, by }: Circumstances) {
  const { text, ...invited } = invitation(now, random)
  const id = makeId('acc', now, random)
  const unusable = { password: null, totpSalt: null, totpStep: null, createdAt: now, disabledAt: null }
  await store.transaction(async (transaction) => {
    await transaction.accounts.create({ id, ...account, ...unusable, ...invited })
    const detail = { ...account }
    await transaction.auditLog.append({ at: now, actor: by, action: 'account.create', subject: id, detail })
  })
  return { id, invitation: text, expiresAt: invited.invitationExpiresAt }
}

/**
 * Takes password, codes, passkeys and sessions away, and gives a new invitation. Errors: request.not-found;
 * request.conflict for somebody who logs in at a provider, whose role has to go on coming from there.
 */
export async function resetAccount(store: Store, id: string, { now, random, by }: Circumstances) {
  const { text, ...invited } = invitation(now, random)
  await store.transaction(async (transaction) => {
    const account = await existingAccount(transaction, id)
    if (await transaction.oidcIdentities.isOf(id))
      throw new KeepsealError('request.conflict', 'this person logs in by OpenID Connect')
    await transaction.accounts.save({ ...account, password: null, totpSalt: null, totpStep: null, ...invited })
    await transaction.accounts.replaceRecoveryCodes(id, [])
    await transaction.passkeys.removeAllOf(id)
    await transaction.loginSessions.endAllOf(id)
    await transaction.auditLog.append({ at: now, actor: by, action: 'account.reset', subject: id, detail: {} })
  })
  return { id, invitation: text, expiresAt: invited.invitationExpiresAt }
}

/** Ends its sessions at once. Error: request.not-found. */
export async function setDisabled(
  store: Store,
  id: string,
  isDisabled: boolean,
  { now, by }: Omit<Circumstances, 'random'>,
) {
  await store.transaction(async (transaction) => {
    const account = await existingAccount(transaction, id)
    await transaction.accounts.save({ ...account, disabledAt: isDisabled ? (account.disabledAt ?? now) : null })
    if (isDisabled) await transaction.loginSessions.endAllOf(id)
    const action = isDisabled ? 'account.disable' : 'account.enable'
    await transaction.auditLog.append({ at: now, actor: by, action, subject: id, detail: {} })
  })
}

/** Error: request.not-found. */
export async function existingAccount(store: Store, id: string): Promise<Account> {
  const account = await store.accounts.byId(id)
  if (account === undefined) throw new KeepsealError('request.not-found', `account ${id}`)
  return account
}

/**
 * Whether somebody may make, reset or disable such an account: nobody gives what he does not have. A certifier gives
 * every role, a vendor those of his own side; whoever is bound gives his own binding, or less. Error: auth.forbidden.
 */
export function assertMayManage(actor: Actor, { role, scope }: Pick<Account, 'role' | 'scope'>): void {
  const roles: readonly ApiRole[] =
    actor.role === 'certifier' ? ['vendor', 'operator', 'certifier', 'auditor'] : ['vendor', 'operator']
  if (!roles.includes(role))
    throw new KeepsealError('auth.forbidden', `a ${actor.role} manages no account of a ${role}`)
  if (actor.scope === null) return
  if (actor.scope.products !== null || scope?.vendor !== actor.scope.vendor) {
    throw new KeepsealError('auth.forbidden', `bound to ${actor.scope.vendor}`)
  }
}
