import { expect, it } from 'vitest'
import { FINGERPRINT_KINDS } from '../../../collector/model/registration.ts'
import type { EnrolmentToken } from '../../../collector/model/product.ts'
import type { Store } from '../../../collector/store/index.ts'
import { describeStore } from './support.ts'
import { bytes, everyPage, id, NOW, storedProduct, token } from './samples.ts'

const registered = (productId: string, label: string, over: Partial<EnrolmentToken> = {}): EnrolmentToken =>
  token(productId, {
    registration: { kind: 'ek', fingerprint: bytes(label), serial: '0001', revokedAt: null },
    ...over,
  })

describeStore('registered endorsement keys', (createStore) => {
  const stored = async (over: Partial<EnrolmentToken> = {}) => {
    const store: Store = createStore()
    const { id: productId } = await storedProduct(store)
    const made = registered(productId, 'ek', over)
    await store.enrolmentTokens.create(made)
    return { store, productId, made, all: store.registrations }
  }

  it('are found by their fingerprint, with everything about them, and by no other', async () => {
    const { all, made, productId } = await stored()
    expect(await all.withFingerprint([bytes('other'), bytes('ek')])).toEqual([made])
    expect(await all.withFingerprint([bytes('other')])).toEqual([])
    expect(await all.withFingerprint([])).toEqual([])
    expect(await all.ofProduct(productId, bytes('ek'))).toEqual(made)
    expect(await all.ofProduct(id('prd'), bytes('ek'))).toBeUndefined()
    expect(await all.byId(made.id)).toEqual(made)
  })

  it.each(FINGERPRINT_KINDS)('are kept as what they are: %s', async (kind) => {
    const registration = { kind, fingerprint: bytes('ek'), serial: null, revokedAt: null }
    const { all, made } = await stored({ registration })
    expect(await all.byId(made.id)).toMatchObject({ registration })
  })

  it('are apart from tokens that are secrets', async () => {
    const { store, all, made, productId } = await stored()
    const secret = token(productId)
    await store.enrolmentTokens.create(secret)
    expect((await store.enrolmentTokens.list({ limit: 9 })).items).toEqual([secret])
    expect((await all.list({ limit: 9 })).items).toEqual([made])
    expect(await all.byId(secret.id)).toBeUndefined()
    expect(await all.revoke(secret.id, NOW)).toBe(false)
  })

  it('are there once for each product', async () => {
    const { store, productId } = await stored()
    await expect(store.enrolmentTokens.create(registered(productId, 'ek'))).rejects.toThrow()
    const other = await storedProduct(store, { model: 'other' })
    await store.enrolmentTokens.create(registered(other.id, 'ek'))
    expect(await store.registrations.withFingerprint([bytes('ek')])).toHaveLength(2)
  })

  it('are used once, by one of many at the same moment, without having been reserved', async () => {
    const { store, made } = await stored()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => store.enrolmentTokens.consume(made.id, `ueid ${index}`, NOW)),
    )
    expect(answers.filter(Boolean)).toHaveLength(1)
  })

  it('are not used once they are revoked, nor revoked once they are used', async () => {
    const { store, all, made, productId } = await stored()
    const second = registered(productId, 'second')
    await store.enrolmentTokens.create(second)
    expect(await all.revoke(made.id, NOW + 1)).toBe(true)
    expect(await all.revoke(made.id, NOW + 2)).toBe(false)
    expect(await store.enrolmentTokens.consume(made.id, 'ueid', NOW + 3)).toBe(false)
    expect((await all.byId(made.id))?.registration?.revokedAt).toBe(NOW + 1)
    expect(await store.enrolmentTokens.consume(second.id, 'ueid', NOW)).toBe(true)
    expect(await all.revoke(second.id, NOW)).toBe(false)
  })

  it('are good again after their end or a revocation, and never after their use', async () => {
    const { store, all, made } = await stored()
    const until = NOW + 9_000_000
    expect(await all.renew(made.id, null, until, made.expiresAt - 1)).toBe(false)
    expect(await all.renew(made.id, null, until, made.expiresAt)).toBe(true)
    expect(await all.byId(made.id)).toMatchObject({ expiresAt: until, registration: { serial: null } })
    await all.revoke(made.id, NOW)
    expect(await all.renew(made.id, '0002', until, NOW)).toBe(true)
    expect((await all.byId(made.id))?.registration).toMatchObject({ revokedAt: null, serial: '0002' })
    await store.enrolmentTokens.consume(made.id, 'ueid', NOW)
    expect(await all.renew(made.id, null, until, until)).toBe(false)
  })

  it('are listed newest first, each once, over pages, of one product where it is named', async () => {
    const { store, all, productId } = await stored()
    const other = await storedProduct(store, { model: 'other' })
    for (let i = 1; i < 5; i++) {
      const at = { id: id('tok', NOW + i), createdAt: NOW + i }
      await store.enrolmentTokens.create(registered(i === 2 ? other.id : productId, `ek ${i}`, at))
    }
    const times = async (of?: string) =>
      (await everyPage((cursor) => all.list({ limit: 2, cursor }, of))).flat().map((each) => each.createdAt - NOW)
    expect(await times()).toEqual([4, 3, 2, 1, 0])
    expect(await times(productId)).toEqual([4, 3, 1, 0])
  })

  it('are those of one vendor for whoever is bound to him', async () => {
    const { store, made } = await stored()
    const rival = store.within({ vendor: 'Rival', products: null })
    expect(await rival.registrations.withFingerprint([bytes('ek')])).toEqual([])
    expect(await rival.registrations.revoke(made.id, NOW)).toBe(false)
    const own = store.within({ vendor: 'Acme', products: null })
    expect((await own.registrations.list({ limit: 9 })).items).toEqual([made])
  })
})
