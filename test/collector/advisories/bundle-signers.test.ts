import { expect, it } from 'vitest'
import { takeBundlePage, type BundleTrust } from '../../../collector/advisories/bundle/import.ts'
import { deflateZlib } from '../../../collector/zlib.ts'
import { signBundlePage } from '../../../shared/advisories/bundle.ts'
import type { KeyHistory } from '../../../shared/evidence/key-history.ts'
import { testKeys } from '../api/support.ts'
import { NOW } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'
import { RotatingKeys, strangeKey, type TestKey } from '../../support/rotating-keys.ts'

const HOUR_MS = 3_600_000

describeStore('a bundle of a collector that has changed its key', (createStore) => {
  const here = testKeys()

  /** A bundle of one empty feed that was looked at then. */
  const pageBy = ({ signer, x }: TestKey, checkedAt: number): Promise<Uint8Array> => {
    const of = { authority: 'own', advisories: 0, digest: null, url: null }
    const feeds = [{ name: 'own', checkedAt, changedAt: checkedAt, ...of }]
    const content = deflateZlib(new Uint8Array())
    return signBundlePage(
      { key: x, index: 0, previous: null, feeds, feed: 0, content, unpacked: 0, next: null },
      signer,
    )
  }

  async function site() {
    const store = createStore()
    const maker = new RotatingKeys()
    const first = maker.current
    const taking = async (
      page: Uint8Array,
      over: Partial<BundleTrust> = {},
      others = [first.keyId],
      now = NOW + 9 * HOUR_MS,
    ) => {
      const signers = { own: { x: here.publicKey.x, history: here.keyHistory }, others }
      const trust = { signers, keyHistory: null, isForced: false, ...over }
      return takeBundlePage(store, page, trust, () => now).catch((error: { code?: string }) => error.code)
    }
    return { store, maker, first, taking }
  }
  const own = (keys: RotatingKeys): Partial<BundleTrust> => ({
    signers: { own: { x: keys.current.x, history: keys.history }, others: [] },
  })
  const carrying = (keyHistory: KeyHistory): Partial<BundleTrust> => ({ keyHistory })

  it('is taken by who trusts the former key, with what led there, and from then on without it', async () => {
    const { maker, first, taking, store } = await site()
    await maker.rotate(NOW / 1000)
    const second = await maker.rotate(NOW / 1000)
    const page = await pageBy(second, NOW)
    expect(await taking(page)).toBe('advisory.signature-invalid')
    expect(await taking(page, carrying(maker.history))).toMatchObject({
      signer: second.keyId,
      trusted: first.keyId,
      // Where it was before.
      feeds: [{ feed: `own-${first.keyId.slice(0, 8)}` }],
    })
    expect((await store.bundleSigners.historyOf(first.keyId))?.statements).toHaveLength(2)
    expect(await taking(page)).toMatchObject({ signer: second.keyId })
  })

  it('is taken by who trusts any key on the way, and by nobody who trusts another one', async () => {
    const { maker, taking } = await site()
    const second = await maker.rotate(NOW / 1000)
    const third = await maker.rotate(NOW / 1000)
    const page = await pageBy(third, NOW)
    const all = carrying(maker.history)
    expect(await taking(page, all, [strangeKey().keyId])).toBe('advisory.signature-invalid')
    expect(await taking(page, all, [])).toBe('advisory.signature-invalid')
    expect(await taking(page, all, [strangeKey().keyId, second.keyId])).toMatchObject({ trusted: second.keyId })
    // A chain whose beginning nobody knows says nothing to who has a thumbprint alone.
    expect(await taking(page, carrying({ ...maker.history, first: null }))).toBe('advisory.signature-invalid')
  })

  it('by the former key is taken for what was looked at before the change, and for nothing later', async () => {
    const { maker, first, taking } = await site()
    const second = await maker.rotate(NOW / 1000)
    expect(await taking(await pageBy(first, NOW - HOUR_MS), carrying(maker.history))).toMatchObject({
      signer: first.keyId,
    })
    const late = await pageBy(first, NOW + 2 * HOUR_MS)
    // It is known from the bundle of before, whatever this one says of it.
    expect(await taking(late)).toBe('advisory.signature-invalid')
    expect(await taking(late, carrying({ first: first.x, statements: [] }))).toBe('advisory.signature-invalid')
    expect(await taking(await pageBy(second, NOW + 2 * HOUR_MS))).toMatchObject({ signer: second.keyId })
  })

  it('by the former key is taken for a month after the change, however old it says to be', async () => {
    const { maker, first, taking } = await site()
    await maker.rotate(NOW / 1000)
    const page = await pageBy(first, NOW - HOUR_MS)
    const month = NOW + 30 * 24 * HOUR_MS
    expect(await taking(page, carrying(maker.history), undefined, month)).toMatchObject({ signer: first.keyId })
    expect(await taking(page, {}, undefined, month + 1000)).toBe('advisory.signature-invalid')
    expect(await taking(page, own(maker), undefined, month + 1000)).toBe('advisory.signature-invalid')
  })

  it('is not led elsewhere by whoever holds the former key, once the change is known', async () => {
    const { maker, first, taking } = await site()
    const second = await maker.rotate(NOW / 1000)
    expect(await taking(await pageBy(second, NOW), carrying(maker.history))).toMatchObject({ signer: second.keyId })
    const thief = strangeKey()
    const fork = await maker.statement(first, thief, NOW / 1000 + 1, 100)
    const forged = carrying({ first: first.x, statements: [fork] })
    expect(await taking(await pageBy(thief, NOW), forged)).toBe('advisory.signature-invalid')
    expect(await taking(await pageBy(second, NOW))).toMatchObject({ signer: second.keyId })
  })

  it('of one’s own is taken back by its former key, for what is of its time', async () => {
    const { maker, first, taking } = await site()
    await maker.rotate(NOW / 1000)
    expect(await taking(await pageBy(first, NOW), own(maker))).toMatchObject({ trusted: first.keyId })
    expect(await taking(await pageBy(first, NOW + 2 * HOUR_MS), own(maker))).toBe('advisory.signature-invalid')
    expect(await taking(await pageBy(strangeKey(), NOW), own(maker))).toBe('advisory.signature-invalid')
  })
})
