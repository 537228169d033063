import { expect, it } from 'vitest'
import type { Account } from '../../../collector/model/account.ts'
import { bytes, id, NOW } from './samples.ts'
import { describeStore } from './support.ts'

const account = (over: Partial<Account> = {}): Account => ({
  id: id('acc'),
  login: 'ada',
  name: 'Ada L.',
  role: 'vendor',
  scope: { vendor: 'Acme', products: [id('prd')] },
  password: 'scrypt$4$1$1$x$y',
  totpSalt: bytes('salt', 16),
  totpStep: 5,
  invitationHash: null,
  invitationExpiresAt: null,
  createdAt: NOW,
  disabledAt: null,
  ...over,
})

const aPasskey = {
  name: 'Laptop',
  credentialId: bytes('credential', 16),
  key: { curve: 'Ed25519', x: bytes('x', 32) },
  relyingPartyId: 'keepseal.example',
  signCount: 7,
  createdAt: NOW,
  lastUsedAt: null,
} as const

describeStore('accounts', (createStore) => {
  it('are found as they were stored, each login once', async () => {
    const { accounts } = createStore()
    const made = account()
    await accounts.create(made)
    expect(await accounts.byLogin('ada')).toEqual(made)
    await expect(accounts.create(account())).rejects.toMatchObject({ code: 'request.conflict' })
    const invited = { ...made, scope: null, password: null, invitationHash: bytes('i'), invitationExpiresAt: NOW }
    await accounts.save(invited)
    expect(await accounts.byInvitation(bytes('i'))).toEqual(invited)
    expect((await accounts.list({ limit: 5 })).items).toEqual([invited])
  })

  it('use a step of their codes once, and none before it, whoever is quicker', async () => {
    const { accounts } = createStore()
    const { id: accountId } = account()
    await accounts.create(account({ id: accountId, totpStep: null }))
    const used = await Promise.all([7, 7, 7].map((step) => accounts.useTotpStep(accountId, step)))
    expect(used.filter(Boolean)).toHaveLength(1)
    expect([await accounts.useTotpStep(accountId, 6), await accounts.useTotpStep(accountId, 8)]).toEqual([false, true])
  })

  it('use a recovery code once, and lose all of them for new ones', async () => {
    const { accounts } = createStore()
    const { id: accountId } = account()
    await accounts.create(account({ id: accountId }))
    await accounts.replaceRecoveryCodes(accountId, [bytes('a'), bytes('b')])
    const used = await Promise.all([1, 2, 3].map(() => accounts.useRecoveryCode(accountId, bytes('a'))))
    expect(used.filter(Boolean)).toHaveLength(1)
    await accounts.replaceRecoveryCodes(accountId, [bytes('c')])
    expect(await accounts.useRecoveryCode(accountId, bytes('b'))).toBe(false)
    expect(await accounts.recoveryCodesLeft(accountId)).toBe(1)
  })

  it('have sessions that end, one or all, or when they expire', async () => {
    const { accounts, loginSessions } = createStore()
    const { id: accountId } = account()
    await accounts.create(account({ id: accountId }))
    const session = (label: string, expiresAt = NOW + 9) => {
      return { tokenHash: bytes(label), accountId, createdAt: NOW, lastSeenAt: NOW, expiresAt }
    }
    for (const label of ['one', 'two', 'three']) await loginSessions.create(session(label))
    await loginSessions.create(session('short', NOW + 1))
    await loginSessions.touch(bytes('one'), NOW + 1)
    expect(await loginSessions.byHash(bytes('one'))).toEqual({ ...session('one'), lastSeenAt: NOW + 1 })
    await loginSessions.forgetExpired(NOW + 1)
    expect(await loginSessions.byHash(bytes('short'))).toBeUndefined()
    await loginSessions.end(bytes('two'))
    expect(await loginSessions.byHash(bytes('two'))).toBeUndefined()
    await loginSessions.endAllOf(accountId)
    expect(await loginSessions.byHash(bytes('three'))).toBeUndefined()
  })

  it('have passkeys, each credential once, whose counter goes on for one of those who use it at once', async () => {
    const { accounts, passkeys } = createStore()
    const made = account()
    await accounts.create(made)
    const passkey = { ...aPasskey, id: id('pky'), accountId: made.id }
    await passkeys.create(passkey)
    expect(await passkeys.byCredential(passkey.credentialId)).toEqual(passkey)
    await expect(passkeys.create({ ...passkey, id: id('pky') })).rejects.toMatchObject({ code: 'request.conflict' })
    const used = await Promise.all([8, 9].map((to) => passkeys.use(passkey.id, { from: 7, to }, NOW + 1)))
    expect(used.filter(Boolean)).toHaveLength(1)
    expect(await passkeys.listOf(made.id)).toMatchObject([{ lastUsedAt: NOW + 1 }])
    expect(await passkeys.remove(id('acc'), passkey.id)).toBe(false)
    expect(await passkeys.remove(made.id, passkey.id)).toBe(true)
    await passkeys.create(passkey)
    await passkeys.removeAllOf(made.id)
    expect(await passkeys.listOf(made.id)).toEqual([])
  })

  it('are found by who they are at a provider, each once', async () => {
    const { accounts, oidcIdentities } = createStore()
    const made = account()
    await accounts.create(made)
    await oidcIdentities.create({ issuer: 'https://id.example', subject: 's', accountId: made.id })
    expect(await oidcIdentities.accountOf('https://id.example', 's')).toBe(made.id)
    expect(await oidcIdentities.accountOf('https://other.example', 's')).toBeUndefined()
    expect([await oidcIdentities.isOf(made.id), await oidcIdentities.isOf(id('acc'))]).toEqual([true, false])
    const again = { issuer: 'https://id.example', subject: 's', accountId: made.id }
    await expect(oidcIdentities.create(again)).rejects.toMatchObject({ code: 'request.conflict' })
  })

  it('are asked something that one of those who answer at once has answered', async () => {
    const { loginChallenges } = createStore()
    const challenge = { hash: bytes('c'), purpose: 'passkey-login', accountId: null, content: '{}' } as const
    await loginChallenges.create({ ...challenge, expiresAt: NOW + 5 })
    expect(await loginChallenges.take(bytes('c'), 'passkey-registration')).toBeUndefined()
    const taken = await Promise.all([1, 2, 3].map(() => loginChallenges.take(bytes('c'), 'passkey-login')))
    expect(taken.filter((each) => each !== undefined)).toEqual([{ ...challenge, expiresAt: NOW + 5 }])
    await loginChallenges.create({ ...challenge, expiresAt: NOW + 5 })
    await loginChallenges.forgetExpired(NOW + 5)
    expect(await loginChallenges.take(bytes('c'), 'passkey-login')).toBeUndefined()
  })

  it('have failures that are counted by name, and forgotten', async () => {
    const { loginSessions } = createStore()
    await loginSessions.saveFailures(bytes('eve'), 1, NOW, NOW)
    await loginSessions.saveFailures(bytes('eve'), 2, NOW + 1, NOW + 30)
    expect(await loginSessions.failuresOf(bytes('eve'))).toEqual({ failures: 2, blockedUntil: NOW + 30 })
    await loginSessions.forgetFailures(NOW + 1)
    expect(await loginSessions.failuresOf(bytes('eve'))).toBeDefined()
    await loginSessions.clearFailures(bytes('eve'))
    expect(await loginSessions.failuresOf(bytes('eve'))).toBeUndefined()
  })
})
