import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OIDC_RETURN } from '../../../collector/access/oidc/configured.ts'
import { OidcProvider, type OidcSettings } from '../../../collector/access/oidc/provider.ts'
import { claimRolesOf } from '../../../collector/access/oidc/roles.ts'
import { resetAccount, setDisabled } from '../../../collector/access/accounts.ts'
import { TestOidcProvider } from '../../support/oidc-provider.ts'
import { usePeople } from './people.ts'
import { useApi } from './support.ts'

const PUBLIC_URL = 'https://keepseal.example'
const RULES = ['keepseal-certifiers = certifier', 'acme = vendor @ Acme Corp', 'runs = operator']

describe('people whom a provider knows', () => {
  let provider: TestOidcProvider
  let used: OidcProvider
  const api = useApi({
    requestsPerMinute: 10_000,
    publicUrl: PUBLIC_URL,
    clock: Date.now,
    // The one of the test that runs.
    oidc: {
      get settings() {
        return used.settings
      },
      address: (secrets) => used.address(secrets),
      person: (query, secrets) => used.person(query, secrets),
    },
  })
  const { send } = usePeople(api)

  beforeAll(async () => {
    provider = await TestOidcProvider.start(`${PUBLIC_URL}${OIDC_RETURN}`)
  })
  afterAll(() => provider.stop())
  beforeEach(() => {
    provider.tampering = {}
    provider.people.clear()
    provider.people.set('ada', ['acme', 'others'])
    used = providerWith({})
  })

  function providerWith(over: Partial<OidcSettings>): OidcProvider {
    const { client_id: clientId, client_secret: clientSecret } = provider.client
    const common = { issuer: provider.issuer, scope: 'openid profile', claim: 'groups', roles: claimRolesOf(RULES) }
    return new OidcProvider({ ...common, clientId, clientSecret, ...over }, `${PUBLIC_URL}${OIDC_RETURN}`, Date.now)
  }

  async function begun(body: object = {}) {
    const answer = await send('POST', '/session/oidc/begin', body)
    expect([answer.status, answer.cookie]).toEqual([200, expect.stringMatching(/^__Host-keepseal-oidc=[\w-]{43}; /)])
    expect(answer.cookie).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/)
    return { url: String(answer.body['url']), held: answer.cookie.split(';')[0] ?? '' }
  }

  let address = 0
  async function returned(back: URL, held: string | undefined) {
    const response = await api().app.inject({
      method: 'GET',
      url: `${back.pathname}${back.search}`,
      remoteAddress: `198.51.100.${(address = (address + 1) % 250)}`,
      headers: { 'sec-fetch-site': 'cross-site', ...(held === undefined ? {} : { cookie: held }) },
    })
    const code = /<code>([a-z.-]+)<\/code>/.exec(response.body)?.[1]
    const cookies = response.headers['set-cookie']
    const all = (Array.isArray(cookies) ? cookies : [cookies ?? '']).map(String)
    const session = all.find((each) => each.startsWith('__Host-keepseal=')) ?? ''
    return { status: response.statusCode, code, session, cookies: all, page: response.body, headers: response.headers }
  }

  async function logsIn(login = 'ada') {
    const { url, held } = await begun()
    return returned(await provider.logIn(url, login), held)
  }
  const whoIs = async ({ session }: { session: string }) =>
    (await send('GET', '/session', undefined, { cookie: session.split(';')[0] ?? '' })).body['account']

  it('log in there with PKCE, state and nonce, and have the role that their groups say', async () => {
    const { url, held } = await begun({ returnTo: '/app/devices' })
    const { searchParams } = new URL(url)
    expect(searchParams.get('code_challenge_method')).toBe('S256')
    for (const name of ['state', 'nonce', 'code_challenge']) expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/)
    const back = await provider.logIn(url, 'ada')
    const opened = await returned(back, held)
    expect([opened.status, opened.page]).toEqual([200, expect.stringContaining('content="0;url=/app/devices"')])
    expect(opened.session).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
    expect(opened.cookies).toContainEqual(expect.stringMatching(/^__Host-keepseal-oidc=; .*Max-Age=0$/))
    expect(await whoIs(opened)).toMatchObject({ name: 'ada of a test', role: 'vendor', vendor: 'Acme Corp' })
    // What binds code and token to this browser is nowhere in the database.
    expect(JSON.stringify(await api().store.auditLog.list({ limit: 9 }))).not.toContain(searchParams.get('nonce'))
  })

  it('are one account at every login, which follows what the provider says', async () => {
    const first = (await whoIs(await logsIn())) as { id: string }
    provider.people.set('ada', ['keepseal-certifiers', 'acme'])
    const second = await logsIn()
    expect(await whoIs(second)).toMatchObject({ id: first.id, role: 'certifier', vendor: null })
    const actions = (await api().store.auditLog.list({ limit: 3 })).items.map(({ action }) => action)
    expect(actions).toEqual(['session.open', 'account.follow', 'session.open'])
    expect((await api().store.accounts.list({ limit: 9 })).items).toHaveLength(1)
    await expect(
      resetAccount(api().store, first.id, { now: Date.now(), random: randomBytes, by: 'collector' }),
    ).rejects.toMatchObject({ code: 'request.conflict' })
  })

  it('have no role by default, and lose their sessions with it', async () => {
    provider.people.set('eve', ['others'])
    expect(await logsIn('eve')).toMatchObject({ status: 403, code: 'oidc.no-role', session: '' })
    expect((await api().store.accounts.list({ limit: 9 })).items).toEqual([])
    const opened = await logsIn()
    provider.people.set('ada', [])
    expect(await logsIn()).toMatchObject({ code: 'oidc.no-role', session: '' })
    expect(await whoIs(opened)).toBeUndefined()
  })

  it('are not let in once disabled', async () => {
    const { id } = (await whoIs(await logsIn())) as { id: string }
    await setDisabled(api().store, id, true, { now: Date.now(), by: 'collector' })
    expect(await logsIn()).toMatchObject({ status: 403, code: 'auth.forbidden', session: '' })
  })

  it('are not let in by a token that was made for another time, login or program, or by another provider', async () => {
    const wrong = [
      ['oidc.nonce-wrong', { nonce: 'x'.repeat(43) }],
      ['oidc.issuer-wrong', { iss: 'https://evil.example' }],
      ['oidc.audience-wrong', { aud: 'another' }],
      ['oidc.token-expired', { exp: 1_000_000_000, iat: 999_999_000 }],
      ['oidc.token-invalid', { sub: undefined }],
      ['oidc.token-invalid', { nonce: undefined }],
    ] as const
    for (const [code, claim] of wrong) {
      provider.tampering = { claims: (claims) => ({ ...claims, ...claim }) }
      expect([claim, await logsIn()]).toEqual([claim, expect.objectContaining({ status: 403, code, session: '' })])
      const [refused] = (await api().store.auditLog.list({ limit: 1 })).items
      expect(refused).toMatchObject({ action: 'session.refused', detail: { proof: 'oidc', reason: code } })
    }
    expect((await api().store.accounts.list({ limit: 9 })).items).toEqual([])
  })

  it('are not let in by a token that somebody else has signed', async () => {
    provider.tampering = { foreignKey: true }
    expect(await logsIn()).toMatchObject({ status: 403, code: 'oidc.signature-invalid', session: '' })
  })

  it('log in with the key that the provider has now, also a moment after it was changed', async () => {
    expect(await logsIn()).toMatchObject({ status: 200 })
    await provider.rotateKey()
    expect(await logsIn()).toMatchObject({ status: 200 })
    const asked = provider.requests.filter((path) => path.includes('openid-configuration'))
    expect(asked.length).toBeGreaterThan(0)
  })

  it('answer each login once, from the browser that began it', async () => {
    const { url, held } = await begun()
    const back = await provider.logIn(url, 'ada')
    expect(await returned(back, held)).toMatchObject({ status: 200 })
    expect(await returned(back, held)).toMatchObject({ status: 410, code: 'auth.challenge-expired', session: '' })
    const other = await begun()
    const theirs = await provider.logIn(other.url, 'ada')
    for (const cookie of [undefined, held, `${held}; ${other.held}`]) {
      expect(await returned(theirs, cookie)).toMatchObject({ code: 'auth.challenge-expired', session: '' })
    }
    // And it was used up by that.
    expect(await returned(theirs, other.held)).toMatchObject({ code: 'auth.challenge-expired' })
    const made = new URL(`${PUBLIC_URL}${OIDC_RETURN}?code=x&state=${'A'.repeat(43)}`)
    expect(await returned(made, other.held)).toMatchObject({ code: 'auth.challenge-expired' })
  })

  it('cannot use a code twice, or one of another login', async () => {
    const first = await begun()
    const back = await provider.logIn(first.url, 'ada')
    expect(await returned(back, first.held)).toMatchObject({ status: 200 })
    const second = await begun()
    const again = await provider.logIn(second.url, 'ada')
    again.searchParams.set('code', back.searchParams.get('code') ?? '')
    expect(await returned(again, second.held)).toMatchObject({ status: 403, code: 'oidc.code-refused', session: '' })
  })

  it('are told when the provider refuses them, does not know the collector, or names itself otherwise', async () => {
    const { url, held } = await begun()
    const state = new URL(url).searchParams.get('state') ?? ''
    const iss = encodeURIComponent(provider.issuer)
    const denied = new URL(`${PUBLIC_URL}${OIDC_RETURN}?error=access_denied&state=${state}&iss=${iss}`)
    expect(await returned(denied, held)).toMatchObject({ status: 403, code: 'oidc.refused', session: '' })
    used = providerWith({ clientSecret: 'another' })
    expect(await logsIn()).toMatchObject({ status: 503, code: 'oidc.client-refused', session: '' })
    used = providerWith({ issuer: provider.issuer.replace('127.0.0.1', 'localhost') })
    const elsewhere = await send('POST', '/session/oidc/begin', {})
    expect(elsewhere.body).toMatchObject({ type: 'oidc.issuer-wrong', status: 403 })
  })

  it('are told when the provider is down, before or after they were there', async () => {
    const { url, held } = await begun()
    const back = await provider.logIn(url, 'ada')
    await provider.stop()
    expect(await returned(back, held)).toMatchObject({ status: 503, code: 'oidc.provider-unreachable', session: '' })
    used = providerWith({})
    const { body } = await send('POST', '/session/oidc/begin', {})
    expect(body).toMatchObject({ type: 'oidc.provider-unreachable', status: 503 })
    provider = await TestOidcProvider.start(`${PUBLIC_URL}${OIDC_RETURN}`)
  })

  it('are sent to no other site, and begin from a page of the collector', async () => {
    for (const returnTo of ['https://evil.example', '//evil.example', '/\\evil.example', 'app', '/a"b', '/a?b#c']) {
      const { body } = await send('POST', '/session/oidc/begin', { returnTo })
      expect([returnTo, body]).toEqual([returnTo, expect.objectContaining({ type: 'request.invalid' })])
    }
    const refused = await send('POST', '/session/oidc/begin', {}, { 'sec-fetch-site': 'cross-site' })
    expect(refused.body).toMatchObject({ type: 'auth.csrf-missing' })
  })

  it('can see which ways there are', async () => {
    expect((await send('GET', '/session/methods')).body).toEqual({
      password: true,
      passkey: true,
      oidc: provider.issuer,
    })
  })
})

describe('a collector without a provider', () => {
  const lines: string[] = []
  const api = useApi({ logger: pino({ level: 'info' }, { write: (line) => void lines.push(line) }) })
  const { send } = usePeople(api)
  it('offers none', async () => {
    expect((await send('GET', '/session/methods')).body).toMatchObject({ oidc: null })
    expect((await send('POST', '/session/oidc/begin', {})).body).toMatchObject({ type: 'request.not-found' })
  })

  it('logs no code that a browser is sent back with', async () => {
    const sent = await api().app.inject({ method: 'GET', url: `${OIDC_RETURN}?code=not-for-logs&state=x` })
    expect([sent.statusCode, sent.headers['cache-control'], sent.headers['referrer-policy']]).toEqual([
      404,
      'no-store',
      'no-referrer',
    ])
    await send('GET', '/session/methods')
    expect(lines.join('')).toContain('/session/methods')
    expect(lines.join('')).not.toContain('not-for-logs')
  })
})
