import { describe, expect, it } from 'vitest'
import { resetAccount, setDisabled } from '../../../collector/access/accounts.ts'
import { CHALLENGE_MS } from '../../../collector/access/challenges.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import type { CborValue } from '../../../shared/cbor/value.ts'
import { SoftwareAuthenticator, type Tampering } from '../../support/software-authenticator.ts'
import { PASSWORD, usePeople } from './people.ts'
import { useApi } from './support.ts'

const FAILED = { type: 'auth.login-failed', status: 401 }

interface Asked {
  readonly challenge: string
  readonly user?: { readonly id: string }
}

describe('people with a passkey', () => {
  const api = useApi({ requestsPerMinute: 10_000, publicUrl: 'https://keepseal.example' })
  const { send, circumstances, codeOf, loggedIn } = usePeople(api)

  const asked = ({ body }: { body: Record<string, unknown> }) => body['publicKey'] as Asked

  /** What a page sends of a new credential, as `toJSON` gives it. */
  function registration(passkey: SoftwareAuthenticator, challenge: string, tampering: Tampering = {}, name = 'Laptop') {
    const { authenticatorData, clientDataJson } = passkey.create(fromBase64Url(challenge), tampering)
    const entries: [string, CborValue][] = [
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', authenticatorData],
    ]
    const attestationObject = toBase64Url(encodeCbor(new Map(entries)))
    const response = { clientDataJSON: toBase64Url(clientDataJson), attestationObject, transports: ['internal'] }
    return { name, credential: { id: 'x', type: 'public-key', response, clientExtensionResults: {} } }
  }

  async function asksToRegister({ id, headers }: { id: string; headers: object }, over: object = {}) {
    api().clock.now += 30_000
    const proof = { password: PASSWORD, code: await codeOf(id), ...over }
    return send('POST', '/session/passkeys/begin', proof, headers)
  }

  async function withPasskey(passkey = new SoftwareAuthenticator('P-256'), login = 'ada') {
    const person = await loggedIn({ login }, { login })
    const { challenge, user } = asked(await asksToRegister(person))
    const made = await send('POST', '/session/passkeys', registration(passkey, challenge), person.headers)
    expect([made.status, made.body]).toEqual([201, expect.objectContaining({ name: 'Laptop', lastUsedAt: null })])
    return { ...person, passkey, userHandle: user?.id ?? '', passkeyId: String(made.body['id']) }
  }

  function answer(
    { passkey, userHandle }: { passkey: SoftwareAuthenticator; userHandle: string },
    challenge: string,
    tampering: Tampering = {},
  ) {
    const { authenticatorData, clientDataJson, signature } = passkey.get(fromBase64Url(challenge), tampering)
    const response = {
      authenticatorData: toBase64Url(authenticatorData),
      clientDataJSON: toBase64Url(clientDataJson),
      signature: toBase64Url(signature),
      userHandle,
    }
    return { rawId: toBase64Url(passkey.credentialId), type: 'public-key', response }
  }

  const challenged = async () => asked(await send('POST', '/session/passkey/begin', {})).challenge
  const logsIn = async (person: { passkey: SoftwareAuthenticator; userHandle: string }, tampering: Tampering = {}) =>
    send('POST', '/session/passkey', answer(person, await challenged(), tampering))

  it.each(['P-256', 'Ed25519'] as const)('log in by it on %s, without login, password and code', async (curve) => {
    const person = await withPasskey(new SoftwareAuthenticator(curve))
    const opened = await logsIn(person)
    expect([opened.status, opened.body]).toEqual([201, expect.objectContaining({ account: expect.anything() })])
    expect(opened.cookie).toMatch(/^__Host-keepseal=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
    const held = { cookie: opened.cookie.split(';')[0] ?? '', 'x-csrf-token': String(opened.body['csrfToken']) }
    expect((await send('POST', '/products', { vendor: 'Acme', model: 'Gate' }, held)).status).toBe(201)
    const { body } = await send('GET', '/session/passkeys', undefined, held)
    expect(body).toMatchObject({
      items: [{ name: 'Laptop', host: 'keepseal.example', lastUsedAt: expect.any(String) }],
    })
    expect(JSON.stringify(body)).not.toContain(toBase64Url(person.passkey.credentialId))
  })

  it('are asked the same, whoever they are, and named by nothing', async () => {
    const before = await send('POST', '/session/passkey/begin', {})
    await withPasskey()
    const after = await send('POST', '/session/passkey/begin', {})
    const common = {
      rpId: 'keepseal.example',
      userVerification: 'required',
      allowCredentials: [],
      timeout: CHALLENGE_MS,
    }
    for (const { body } of [before, after]) {
      expect(body['publicKey']).toEqual({ ...common, challenge: expect.stringMatching(/^[\w-]{43}$/) })
    }
    expect(asked(before).challenge).not.toBe(asked(after).challenge)
  })

  it('answer what they were asked once, and soon', async () => {
    const person = await withPasskey()
    const used = await challenged()
    expect((await send('POST', '/session/passkey', answer(person, used))).status).toBe(201)
    expect((await send('POST', '/session/passkey', answer(person, used))).body).toMatchObject(FAILED)
    const late = await challenged()
    api().clock.now += CHALLENGE_MS
    expect((await send('POST', '/session/passkey', answer(person, late))).body).toMatchObject(FAILED)
    const own = toBase64Url(new Uint8Array(32))
    expect((await send('POST', '/session/passkey', answer(person, own))).body).toMatchObject(FAILED)
    // A challenge that was answered wrongly is used up as well.
    const wrong = await challenged()
    await send('POST', '/session/passkey', answer(person, wrong, { flags: 0x01 }))
    expect((await send('POST', '/session/passkey', answer(person, wrong))).body).toMatchObject(FAILED)
    // And one that was asked for a registration is none for a login.
    const { challenge } = asked(await asksToRegister(person))
    expect((await send('POST', '/session/passkey', answer(person, challenge))).body).toMatchObject(FAILED)
  })

  it('get the one answer for an assertion that was made elsewhere, by nobody or for something else', async () => {
    const person = await withPasskey()
    const wrong: Readonly<Record<string, Tampering>> = {
      'another origin': { clientData: { origin: 'https://evil.example' } },
      'another host': { rpId: 'evil.example' },
      'out of a frame': { clientData: { crossOrigin: true } },
      'the person was not verified': { flags: 0x01 },
      'the counter did not grow': { counter: 1 },
      'another kind': { clientData: { type: 'webauthn.create' } },
    }
    for (const [why, tampering] of Object.entries(wrong)) {
      expect([why, (await logsIn(person)).status]).toEqual([why, 201])
      expect([why, (await logsIn(person, tampering)).body]).toEqual([why, expect.objectContaining(FAILED)])
    }
    expect((await logsIn(person)).status).toBe(201)
  })

  it('get the same answer when nobody knows the passkey, another account is said, or it signed something else', async () => {
    const person = await withPasskey()
    const stranger = { passkey: new SoftwareAuthenticator('P-256'), userHandle: person.userHandle }
    const answers = [
      await logsIn(stranger),
      await logsIn({ ...person, userHandle: toBase64Url(utf8('acc_x')) }),
      await logsIn({ ...person, userHandle: '' }),
    ]
    const good = answer(person, await challenged())
    const signature = toBase64Url(
      fromBase64Url(good.response.signature).map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
    )
    answers.push(await send('POST', '/session/passkey', { ...good, response: { ...good.response, signature } }))
    const withoutHandle = answer(person, await challenged())
    const { userHandle: _, ...response } = withoutHandle.response
    answers.push(await send('POST', '/session/passkey', { ...withoutHandle, response }))
    const [first, ...others] = answers.map(({ status, body, cookie }) => ({ status, body, cookie }))
    expect(first).toMatchObject({ status: 401, body: FAILED, cookie: '' })
    for (const other of others) expect(other).toEqual(first)
    const { items } = await api().store.auditLog.list({ limit: 5 })
    for (const each of items) expect(each).toMatchObject({ action: 'session.refused', actor: 'nobody' })
    expect(new Set(items.map(({ detail }) => JSON.stringify(detail))).size).toBeGreaterThan(2)
  })

  it('log in no more once disabled, reset, or without that passkey', async () => {
    const person = await withPasskey()
    await setDisabled(api().store, person.id, true, circumstances())
    expect((await logsIn(person)).body).toMatchObject(FAILED)
    await setDisabled(api().store, person.id, false, circumstances())
    const opened = await logsIn(person)
    const held = { cookie: opened.cookie.split(';')[0] ?? '', 'x-csrf-token': String(opened.body['csrfToken']) }
    const path = `/session/passkeys/${person.passkeyId}`
    expect((await send('DELETE', path, undefined, held)).status).toBe(204)
    expect((await send('DELETE', path, undefined, held)).body).toMatchObject({ type: 'request.not-found' })
    expect((await logsIn(person)).body).toMatchObject(FAILED)
    const other = await withPasskey(new SoftwareAuthenticator('Ed25519'), 'ben')
    await resetAccount(api().store, other.id, circumstances())
    expect(await api().store.passkeys.listOf(other.id)).toEqual([])
    expect((await logsIn(other)).body).toMatchObject(FAILED)
  })

  it('register one only with password and code once more, and as themselves', async () => {
    const person = await loggedIn()
    expect((await asksToRegister(person, { password: 'wrong horse battery' })).body).toMatchObject(FAILED)
    expect((await asksToRegister(person, { code: '000000' })).body).toMatchObject(FAILED)
    const { 'x-csrf-token': _, ...withoutToken } = person.headers
    expect((await asksToRegister({ id: person.id, headers: withoutToken })).body).toMatchObject({
      type: 'auth.csrf-missing',
    })
    expect((await asksToRegister({ id: person.id, headers: {} })).body).toMatchObject({ type: 'auth.missing' })
    const { challenge } = asked(await asksToRegister(person))
    const passkey = new SoftwareAuthenticator('P-256')
    const eve = await loggedIn({ login: 'eve' }, { login: 'eve' })
    const stolen = await send('POST', '/session/passkeys', registration(passkey, challenge), eve.headers)
    expect(stolen.body).toMatchObject({ type: 'auth.challenge-expired', status: 410 })
    const again = await send('POST', '/session/passkeys', registration(passkey, challenge), person.headers)
    expect(again.body).toMatchObject({ type: 'auth.challenge-expired' })
    expect(await api().store.passkeys.listOf(eve.id)).toEqual([])
  })

  it('register none that was made elsewhere, by nobody or for something else', async () => {
    const person = await loggedIn()
    const wrong: Readonly<Record<string, Tampering>> = {
      'another origin': { clientData: { origin: 'https://evil.example' } },
      'another host': { rpId: 'evil.example' },
      'the person was not verified': { flags: 0x41 },
      'another kind': { clientData: { type: 'webauthn.get' } },
      'no credential': { trailing: new Uint8Array() },
    }
    for (const [why, tampering] of Object.entries(wrong)) {
      const { challenge } = asked(await asksToRegister(person))
      const body = registration(new SoftwareAuthenticator('P-256'), challenge, tampering)
      const { body: problem } = await send('POST', '/session/passkeys', body, person.headers)
      expect([why, problem]).toEqual([why, expect.objectContaining({ type: 'auth.assertion-invalid', status: 401 })])
    }
    expect(await api().store.passkeys.listOf(person.id)).toEqual([])
  })

  it('register each once, whoever has it, and are told which are there', async () => {
    const person = await withPasskey()
    const second = await asksToRegister(person)
    const exclude = [{ type: 'public-key', id: toBase64Url(person.passkey.credentialId) }]
    expect(second.body['publicKey']).toMatchObject({ excludeCredentials: exclude, attestation: 'none' })
    const body = registration(person.passkey, asked(second).challenge)
    expect((await send('POST', '/session/passkeys', body, person.headers)).body).toMatchObject({
      type: 'request.conflict',
    })
    const eve = await loggedIn({ login: 'eve' }, { login: 'eve' })
    const { challenge } = asked(await asksToRegister(eve))
    const copied = await send('POST', '/session/passkeys', registration(person.passkey, challenge), eve.headers)
    expect(copied.body).toMatchObject({ type: 'request.conflict' })
    const removed = await send('DELETE', `/session/passkeys/${person.passkeyId}`, undefined, eve.headers)
    expect(removed.body).toMatchObject({ type: 'request.not-found' })
  })

  it('are told what is not as documented, and let in from no page of somebody else', async () => {
    for (const body of [{}, { rawId: '!' }, { rawId: 'AA', response: {} }]) {
      expect((await send('POST', '/session/passkey', body)).body).toMatchObject({ type: 'request.invalid' })
    }
    const person = await withPasskey()
    const elsewhere = { 'sec-fetch-site': 'cross-site' }
    for (const path of ['/session/passkey/begin', '/session/passkey']) {
      const refused = await send('POST', path, answer(person, await challenged()), elsewhere)
      expect(refused.body).toMatchObject({ type: 'auth.csrf-missing' })
    }
  })

  it('are held back by address', async () => {
    const one = { method: 'POST', url: '/api/v1/session/passkey', remoteAddress: '198.51.100.9' } as const
    const answers = []
    for (let count = 0; count < 21; count++) answers.push((await api().app.inject({ ...one, payload: {} })).statusCode)
    expect([answers[19], answers[20]]).toEqual([400, 429])
  })
})

describe('passkeys at an address without a name', () => {
  const api = useApi({ publicUrl: 'https://192.0.2.1:8443' })
  const { send } = usePeople(api)
  it('are not offered, and the answer says what to set', async () => {
    const { body } = await send('POST', '/session/passkey/begin', {})
    expect(body).toMatchObject({ type: 'auth.passkey-unavailable', status: 409 })
  })
})
