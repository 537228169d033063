import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createAccount, resetAccount, setDisabled, type NewAccount } from '../../../collector/access/accounts.ts'
import { blockedMsAfter } from '../../../collector/access/login.ts'
import { ABSOLUTE_MS, IDLE_MS, SESSION_COOKIE } from '../../../collector/access/sessions.ts'
import { NOW } from '../store/samples.ts'
import { ADA, PASSWORD, usePeople } from './people.ts'
import { ROLES, useApi } from './support.ts'

const WRONG = { type: 'auth.login-failed', status: 401 }

describe('people who log in', () => {
  const api = useApi({ requestsPerMinute: 10_000 })
  const { send, circumstances, account, codeOf, takeUp, logIn, loggedIn } = usePeople(api)

  it('set password and app by an invitation, which is then used up', async () => {
    const made = await createAccount(api().store, ADA, circumstances())
    const { status, recoveryCodes } = await takeUp(made.invitation, made.id)
    expect(status).toBe(200)
    expect(new Set(recoveryCodes).size).toBe(10)
    for (const path of ['open', 'take-up']) {
      const body = { invitation: made.invitation, ...(path === 'open' ? {} : { password: PASSWORD, code: '000000' }) }
      expect((await send('POST', `/invitations/${path}`, body)).body).toMatchObject({ type: 'auth.invitation-invalid' })
    }
  })

  it('cannot take up an invitation that is old, unknown, of a disabled account, or with a wrong code', async () => {
    const { store, clock } = api()
    const made = await createAccount(store, ADA, circumstances())
    const invalid = { type: 'auth.invitation-invalid', status: 403 }
    const unknown = `ksi_${'A'.repeat(43)}`
    expect((await send('POST', '/invitations/open', { invitation: unknown })).body).toMatchObject(invalid)
    const open = () => send('POST', '/invitations/open', { invitation: made.invitation })
    expect((await open()).status).toBe(200)
    const wrong = { invitation: made.invitation, password: PASSWORD, code: await codeOf(made.id, 5) }
    expect((await send('POST', '/invitations/take-up', wrong)).body).toMatchObject({ type: 'auth.code-wrong' })
    const weak = { ...wrong, password: 'ada', code: await codeOf(made.id) }
    expect((await send('POST', '/invitations/take-up', weak)).body).toMatchObject({ type: 'auth.password-weak' })
    await setDisabled(store, made.id, true, circumstances())
    expect((await open()).body).toMatchObject(invalid)
    await setDisabled(store, made.id, false, circumstances())
    clock.now += 72 * 3_600_000
    expect((await open()).body).toMatchObject(invalid)
  })

  it('get a cookie that no script reads and no other site sends', async () => {
    const { id } = await account()
    const { status, body, cookie } = await logIn(id, { login: ' Ada ' })
    expect(status).toBe(201)
    expect(cookie).toMatch(new RegExp(`^${SESSION_COOKIE}=[\\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict$`))
    expect(body).toMatchObject({ account: { login: 'ada', role: 'operator', vendor: null } })
    const text = cookie.slice(SESSION_COOKIE.length + 1).split(';')[0] ?? ''
    const { store } = api()
    const stored = JSON.stringify([await store.accounts.list({ limit: 5 }), await store.auditLog.list({ limit: 50 })])
    for (const secret of [text, PASSWORD]) expect(stored).not.toContain(secret)
    const answer = await send('GET', '/session', undefined, { cookie })
    expect(answer.body).toMatchObject({ account: { id }, csrfToken: body['csrfToken'] })
  })

  it.each<[string, object, Partial<NewAccount>?]>([
    ['a wrong password', { password: 'correct horse batterx' }],
    ['a wrong code', { code: '000000' }],
    ['a code of five minutes ago', { code: undefined }],
    ['a recovery code of nobody', { code: 'ABCD-EFGH-IJKL-MNOP' }],
    ['an unknown login', { login: 'eve' }],
  ])('are refused with the same words for %s', async (what, over) => {
    const { id } = await account()
    const code = what.startsWith('a code of') ? { code: await codeOf(id, -10) } : {}
    const { status, body, cookie } = await logIn(id, { ...over, ...code })
    expect([status, cookie]).toEqual([401, ''])
    expect(body).toMatchObject({ ...WRONG, detail: 'login, password, code or passkey are not right' })
  })

  it('are refused while disabled, after a reset and before they have set up, in those words', async () => {
    const { store } = api()
    const { id } = await account()
    await setDisabled(store, id, true, circumstances())
    expect((await logIn(id)).body).toMatchObject(WRONG)
    await setDisabled(store, id, false, circumstances())
    await resetAccount(store, id, circumstances())
    expect((await logIn(id)).body).toMatchObject(WRONG)
    const fresh = await createAccount(store, { ...ADA, login: 'ben' }, circumstances())
    expect((await logIn(fresh.id, { login: 'ben' })).body).toMatchObject(WRONG)
  })

  it('cannot use a code twice, nor one before it', async () => {
    const { id } = await account()
    const [earlier, code] = [await codeOf(id, -1), await codeOf(id)]
    expect((await logIn(id, { code })).status).toBe(201)
    expect((await logIn(id, { code })).body).toMatchObject(WRONG)
    expect((await logIn(id, { code: earlier })).body).toMatchObject(WRONG)
    // Of two at once one gets in.
    api().clock.now += 60_000
    const next = await codeOf(id)
    const both = await Promise.all([logIn(id, { code: next }), logIn(id, { code: next })])
    expect(both.map(({ status }) => status).sort()).toEqual([201, 401])
  })

  it('can use each recovery code once, as it was shown or without its hyphens', async () => {
    const { id, recoveryCodes } = await account()
    const [one = '', two = ''] = recoveryCodes
    expect((await logIn(id, { code: one })).status).toBe(201)
    expect((await logIn(id, { code: one })).body).toMatchObject(WRONG)
    expect((await logIn(id, { code: two.replaceAll('-', '').toLowerCase() })).status).toBe(201)
    expect(await api().store.accounts.recoveryCodesLeft(id)).toBe(8)
  })

  it('are blocked for longer and longer when they fail, whether or not there is such a login', async () => {
    const { id } = await account()
    for (const login of ['ada', 'eve']) {
      for (let attempt = 0; attempt < 5; attempt++) {
        expect((await logIn(id, { login, code: '000000' })).body).toMatchObject(WRONG)
      }
      expect((await logIn(id, { login })).body).toMatchObject({ type: 'request.rate-limited', status: 429 })
    }
    api().clock.now += blockedMsAfter(5)
    expect((await logIn(id)).status).toBe(201)
    expect([4, 5, 6, 7, 40].map(blockedMsAfter)).toEqual([0, 30_000, 60_000, 120_000, 3_600_000])
  })

  it('who send many guesses at once are counted for each', async () => {
    const { id } = await account()
    const answers = await Promise.all(Array.from({ length: 12 }, () => logIn(id, { code: '000000' })))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7)
  })

  it('use the API as their role says, and as their vendor is', async () => {
    for (const role of ROLES) {
      const { headers } = await loggedIn({ login: 'ada', role })
      const { status } = await send('POST', '/products', { vendor: 'Acme', model: `Gate ${role}` }, headers)
      expect([role, status]).toEqual([role, role === 'vendor' || role === 'operator' ? 201 : 403])
      const { store } = api()
      const [found] = (await store.accounts.list({ limit: 1 })).items
      if (found !== undefined) await store.accounts.save({ ...found, login: `was-${role}` })
    }
    const { held } = await loggedIn({ scope: { vendor: 'Rival', products: null } })
    expect((await send('GET', '/products', undefined, held)).body).toMatchObject({ items: [] })
  })

  it('change nothing without the token of their page, and from no other site', async () => {
    const { held, headers } = await loggedIn()
    const refused = { type: 'auth.csrf-missing', status: 403 }
    const product = { vendor: 'Acme', model: 'Gate' }
    expect((await send('POST', '/products', product, held)).body).toMatchObject(refused)
    const guessed = { ...held, 'x-csrf-token': 'A'.repeat(43) }
    expect((await send('POST', '/products', product, guessed)).body).toMatchObject(refused)
    const elsewhere = { ...headers, 'sec-fetch-site': 'cross-site' }
    expect((await send('POST', '/products', product, elsewhere)).body).toMatchObject(refused)
    expect((await send('GET', '/products', undefined, held)).status).toBe(200)
    expect((await send('POST', '/products', product, headers)).status).toBe(201)
  })

  it('are out after they have logged out, were disabled, or a wrong token came with their cookie', async () => {
    const { id, held, headers } = await loggedIn()
    expect((await send('GET', '/products', undefined, { ...held, authorization: 'Bearer ksa_x' })).status).toBe(401)
    const out = await send('DELETE', '/session', undefined, headers)
    expect([out.status, out.cookie]).toEqual([204, expect.stringContaining('Max-Age=0')])
    expect((await send('GET', '/products', undefined, held)).status).toBe(401)
    api().clock.now += 30_000
    const again = { cookie: (await logIn(id)).cookie.split(';')[0] ?? '' }
    expect((await send('GET', '/products', undefined, again)).status).toBe(200)
    await setDisabled(api().store, id, true, circumstances())
    expect((await send('GET', '/products', undefined, again)).status).toBe(401)
  })

  it('get another session by logging in, and the one that their browser had ends', async () => {
    const { id, held } = await loggedIn()
    api().clock.now += 30_000
    const { status, cookie } = await send(
      'POST',
      '/session',
      { login: 'ada', password: PASSWORD, code: await codeOf(id) },
      held,
    )
    expect([status, cookie.split(';')[0] === held.cookie]).toEqual([201, false])
    expect((await send('GET', '/products', undefined, held)).status).toBe(401)
    // A cookie of somebody's own making opens nothing, and is not kept.
    const made = { cookie: `${SESSION_COOKIE}=${'A'.repeat(43)}` }
    expect((await send('GET', '/session', undefined, made)).status).toBe(401)
    api().clock.now += 30_000
    const again = await send('POST', '/session', { login: 'ada', password: PASSWORD, code: await codeOf(id) }, made)
    expect(again.cookie).not.toContain('A'.repeat(43))
  })

  it('can log out everywhere, and nobody else is touched', async () => {
    const { id, held, headers } = await loggedIn()
    api().clock.now += 30_000
    const other = { cookie: (await logIn(id)).cookie.split(';')[0] ?? '' }
    const eve = await loggedIn({ login: 'eve' }, { login: 'eve' })
    expect((await send('DELETE', '/sessions', undefined, held)).body).toMatchObject({ type: 'auth.csrf-missing' })
    expect((await send('DELETE', '/sessions', undefined, headers)).status).toBe(204)
    for (const each of [held, other]) expect((await send('GET', '/products', undefined, each)).status).toBe(401)
    expect((await send('GET', '/products', undefined, eve.held)).status).toBe(200)
  })

  it('are out when nobody used the session for long, and at the latest after half a day', async () => {
    const { id, held } = await loggedIn()
    const { clock } = api()
    const status = async () => (await send('GET', '/products', undefined, held)).status
    clock.now += IDLE_MS - 1
    expect(await status()).toBe(200)
    clock.now += IDLE_MS
    expect(await status()).toBe(401)
    const again = { cookie: (await logIn(id)).cookie.split(';')[0] ?? '' }
    const began = clock.now
    while (clock.now + IDLE_MS - 1 < began + ABSOLUTE_MS) {
      clock.now += IDLE_MS - 1
      expect((await send('GET', '/products', undefined, again)).status).toBe(200)
    }
    clock.now = began + ABSOLUTE_MS
    expect((await send('GET', '/products', undefined, again)).status).toBe(401)
  })

  it('have what they do in the audit log', async () => {
    const { id, headers } = await loggedIn()
    await logIn(id, { login: 'eve' })
    await send('DELETE', '/session', undefined, headers)
    const actions = (await api().store.auditLog.list({ limit: 5 })).items.map(
      ({ action, actor }) => `${actor} ${action}`,
    )
    expect(actions.reverse()).toEqual([
      'collector account.create',
      `${id} account.set-up`,
      `${id} session.open`,
      'nobody session.refused',
      `${id} session.end`,
    ])
    expect(api().clock.now).toBeGreaterThan(NOW)
  })

  it('are held back by address', async () => {
    const one = { method: 'POST', url: '/api/v1/session', remoteAddress: '198.51.100.1' } as const
    const answers = []
    for (let count = 0; count < 21; count++) answers.push((await api().app.inject({ ...one, payload: {} })).statusCode)
    expect(answers.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 400))
    expect(answers[20]).toBe(429)
  })
})

describe('who lets people in', () => {
  const api = useApi()
  const body = (role: string, over: object = {}) => ({
    login: `x${randomBytes(6).toString('hex')}`,
    name: 'X',
    role,
    ...over,
  })

  it('gives no role that is not his to give', async () => {
    const { call } = api()
    for (const role of ROLES) {
      expect((await call('certifier', 'POST', '/api/v1/accounts', body(role))).status).toBe(201)
      const expected = role === 'vendor' || role === 'operator' ? 201 : 403
      expect((await call('vendor', 'POST', '/api/v1/accounts', body(role))).status).toBe(expected)
    }
  })

  it('makes each login once, and binds only to products that are the vendor’s', async () => {
    const { call } = api()
    const made = await call('certifier', 'POST', '/api/v1/accounts', body('vendor', { login: 'Ada' }))
    expect(made.body).toMatchObject({ invitation: expect.stringMatching(/^ksi_/) })
    expect((await call('certifier', 'POST', '/api/v1/accounts', body('vendor', { login: 'ada' }))).status).toBe(409)
    const product = await call('operator', 'POST', '/api/v1/products', { vendor: 'Acme', model: 'Gate' })
    const products = [String(product.body['id'])]
    const foreign = body('vendor', { vendor: 'Rival', products })
    expect((await call('certifier', 'POST', '/api/v1/accounts', foreign)).status).toBe(404)
    const own = body('vendor', { vendor: 'Acme', products })
    expect((await call('certifier', 'POST', '/api/v1/accounts', own)).status).toBe(201)
    const { body: listed } = await call('certifier', 'GET', '/api/v1/accounts')
    const bound = expect.objectContaining({ vendor: 'Acme', products, state: 'invited' })
    expect(listed['items']).toEqual(expect.arrayContaining([bound, expect.objectContaining({ login: 'ada' })]))
    expect(JSON.stringify(listed)).not.toMatch(/scrypt|ksi_|salt/)
  })
})
