import { expect, it } from 'vitest'
import type { ApiToken } from '../../../collector/model/product.ts'
import { initialDeviceState, type DeviceState } from '../../../collector/model/device.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import { describeStore } from './support.ts'
import { bytes, device, everyPage, id, NOW, product, storedDevice, storedProduct, tpm } from './samples.ts'

describeStore('products', (createStore) => {
  it('are found by id and by what devices claim', async () => {
    const { products } = createStore()
    const made = product()
    await products.create(made)
    expect(await products.byId(made.id)).toEqual(made)
    expect(await products.byVendorModel('Acme', 'Gate 7')).toEqual(made)
    expect(await products.byVendorModel('acme', 'Gate 7')).toBeUndefined()
    expect((await products.list({ limit: 5 })).items).toEqual([made])
  })

  it('exist once for a vendor and model', async () => {
    const { products } = createStore()
    await products.create(product())
    await expect(products.create(product())).rejects.toMatchObject({ code: 'request.conflict' })
  })
})

describeStore('API tokens', (createStore) => {
  const make = (over: Partial<ApiToken> = {}): ApiToken => ({
    id: id('api'),
    name: 'console',
    tokenHash: bytes('token'),
    role: 'operator',
    scope: null,
    createdAt: NOW,
    expiresAt: null,
    ...over,
  })

  it('are known by their hash until they are revoked', async () => {
    const { apiTokens } = createStore()
    const made = make()
    await apiTokens.create(made)
    expect(await apiTokens.byHash(made.tokenHash)).toEqual(made)
    expect(await apiTokens.revoke(made.id, NOW)).toBe(true)
    expect(await apiTokens.revoke(made.id, NOW)).toBe(false)
    expect(await apiTokens.byHash(made.tokenHash)).toBeUndefined()
    expect((await apiTokens.list({ limit: 5 })).items).toEqual([])
  })

  it.each([null, { vendor: 'Acme', products: null }, { vendor: 'Acme', products: [id('prd')] }])(
    'keep what they are bound to',
    async (scope) => {
      const { apiTokens } = createStore()
      const made = make({ scope })
      await apiTokens.create(made)
      expect((await apiTokens.byHash(made.tokenHash))?.scope).toEqual(scope)
    },
  )
})

describeStore('devices', (createStore) => {
  it('are found by each of their identities', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const made = await store.devices.insert(device(productId, 'one'))
    expect(made).toEqual({ ...device(productId, 'one'), id: made.id })
    expect(await store.devices.byId(made.id)).toEqual(made)
    expect(await store.devices.byUeid(made.ueid)).toEqual(made)
    expect(await store.devices.byEkName(tpm('one').ekName)).toEqual(made)
    expect(await store.devices.byDeviceKeyThumbprint(made.deviceKeyThumbprint)).toEqual(made)
    expect(await store.devices.byUeid(makeUeid(bytes('nobody', 16)))).toBeUndefined()
    expect(await store.devices.byEkName(tpm('two').ekName)).toBeUndefined()
  })

  it('may lack a TPM, any number of them', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    for (const label of ['one', 'two']) {
      const made = await store.devices.insert(device(productId, label, { tpm: null, identity: 'software' }))
      expect((await store.devices.byId(made.id))?.tpm).toBeNull()
    }
  })

  it.each([
    ['UEID', { ueid: makeUeid(bytes('one', 16)) }],
    ['endorsement key', { tpm: tpm('one') }],
    ['device key', { deviceKeyThumbprint: bytes('thumbprint one') }],
  ])('cannot share a %s, and a refused one leaves no trace', async (_, shared) => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    await store.devices.insert(device(productId, 'one'))
    const second = store.devices.insert(device(productId, 'two', shared))
    await expect(second).rejects.toMatchObject({ code: 'request.conflict' })
    expect((await store.devices.list({ limit: 5 })).items).toHaveLength(1)
  })

  it('change keys at a re-enrolment, but neither their id nor their state', async () => {
    const store = createStore()
    const made = await storedDevice(store)
    const failed: DeviceState = { ...initialDeviceState, latch: 'failed', verdict: 'contraindicated' }
    await store.devices.saveState(made.id, failed)
    const keys = {
      identity: 'tpm-endorsed' as const,
      deviceKey: bytes('new'),
      deviceKeyThumbprint: bytes('new thumbprint'),
      tlsKeyHash: bytes('new tls'),
      certificateNotAfter: NOW + 5,
      tpm: tpm('new'),
    }
    await store.devices.updateKeys(made.id, keys)
    expect(await store.devices.byUeid(made.ueid)).toEqual({ ...made, ...keys })
    expect(await store.devices.stateOf(made.id)).toEqual(failed)
  })

  it('keep the time of their revocation', async () => {
    const store = createStore()
    const made = await storedDevice(store, 'one', undefined, { enrolment: 'pending' })
    await store.devices.updateEnrolment(made.id, 'revoked', NOW + 9)
    expect(await store.devices.byId(made.id)).toMatchObject({ enrolment: 'revoked', revokedAt: NOW + 9 })
    await store.devices.updateEnrolment(made.id, 'active', NOW + 10)
    expect(await store.devices.byId(made.id)).toMatchObject({ enrolment: 'active', revokedAt: null })
  })

  it('begin with a state in which nothing is known, and keep every field of a later one', async () => {
    const store = createStore()
    const made = await storedDevice(store)
    expect(await store.devices.stateOf(made.id)).toEqual(initialDeviceState)
    const state: DeviceState = {
      release: { current: 'rel_1', since: NOW, highest: 'rel_2', judgedBy: 'set' },
      verdict: 'affirming',
      verdictCode: null,
      latch: 'recovered-unacknowledged',
      liveness: 'silent',
      freshExtended: true,
      bootCoverage: 'measured',
      bootDigest: bytes('boot'),
      bootAwaited: { since: NOW, reports: 2 },
      lastReceivedAt: NOW,
      lastFreshAt: NOW - 1,
      lastFreshEpoch: 7,
      freshSession: bytes('session', 16),
      freshSequence: 12,
      postureDigest: bytes('posture'),
      pcrDigest: bytes('pcrs'),
      tpmClock: { clockMs: 2n ** 64n - 1n, resetCount: 2 ** 32 - 1, restartCount: 0, observedAt: NOW },
      bootSeed: bytes('boot', 16),
      ima: {
        bootSeed: bytes('boot', 16),
        base: { bank: 'sha384', entries: 1234, pcr10: bytes('pcr10', 48), paddingMode: 'sha1-padded' },
        verdict: 'refused',
        summary: {
          resetCount: 7,
          aggregate: 'matches',
          allowed: 1200,
          unjudged: 0,
          excluded: [{ pattern: '/tmp/**', entries: 30 }],
          problems: 4,
          untold: { 'ima.file-unknown': 2 },
          refused: { pcr10: '00', reason: 'ima.malformed' },
          missing: { since: NOW, told: false },
          waiting: ['00'],
        },
      },
      namedReceipt: 3,
      lastReceiptNumber: 4,
      agentVersion: '1.2.3',
      reportInterval: 3600,
    }
    await store.devices.saveState(made.id, state)
    expect(await store.devices.stateOf(made.id)).toEqual(state)
    await store.devices.saveState(made.id, initialDeviceState)
    expect(await store.devices.stateOf(made.id)).toEqual(initialDeviceState)
  })

  it('are listed with their state, filtered on separate axes, over pages', async () => {
    const store = createStore()
    const [a, b] = [await storedProduct(store, { model: 'A' }), await storedProduct(store, { model: 'B' })]
    for (let i = 0; i < 5; i++) await store.devices.insert(device(a.id, `a${i}`))
    const other = await store.devices.insert(device(b.id, 'b0', { enrolment: 'pending' }))
    await store.devices.saveState(other.id, { ...initialDeviceState, verdict: 'warning' })
    const serials = async (filter: Parameters<typeof store.devices.list>[1]) =>
      (await everyPage((cursor) => store.devices.list({ limit: 2, cursor }, filter))).map((page) =>
        page.map((each) => each.device.serial),
      )
    expect(await serials({})).toEqual([
      ['b0', 'a4'],
      ['a3', 'a2'],
      ['a1', 'a0'],
    ])
    expect(await serials({ productId: a.id })).toEqual([['a4', 'a3'], ['a2', 'a1'], ['a0']])
    expect(await serials({ enrolment: 'pending' })).toEqual([['b0']])
    expect(await serials({ verdict: 'warning' })).toEqual([['b0']])
    expect(await serials({ verdict: 'warning', productId: a.id })).toEqual([[]])
    expect((await store.devices.list({ limit: 1 })).items[0]?.state.verdict).toBe('warning')
  })

  it('belong to a product that exists', async () => {
    const store = createStore()
    await expect(store.devices.insert(device('prd_none', 'one'))).rejects.toThrow()
  })
})
