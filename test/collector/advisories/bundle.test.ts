import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { takeBundlePage, type BundleTrust, type TakenPage } from '../../../collector/advisories/bundle/import.ts'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { addAdvisories, importFeed } from '../../../collector/advisories/import.ts'
import { openStore, type OpenStore, type Store } from '../../../collector/store/index.ts'
import { deflateZlib } from '../../../collector/zlib.ts'
import { signBundlePage, openBundlePage, type BundlePage } from '../../../shared/advisories/bundle.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { ed25519Key, hash } from '../../../shared/crypto/node.ts'
import { wireFormatText } from '../../support/cddl.ts'
import { csafDocument, provided, serveProvider } from '../../support/csaf-provider.ts'
import { pagesOf } from '../../support/bundle-pages.ts'
import { saveDebianPosture } from '../../support/debian-posture.ts'
import { osvRecord, useFetching } from '../../support/feed-fetching.ts'
import { useFeedServer } from '../../support/feed-server.ts'
import { zipOfRecords } from '../../support/zip.ts'
import { testKeys } from '../api/support.ts'
import { describeStore } from '../store/support.ts'

const keys = testKeys()
const signer = toHex(keys.signer.keyId)
/** Of the collector that takes them. */
const here = testKeys()
const trustedAs = (...others: readonly string[]): BundleTrust => ({
  signers: { own: { x: here.publicKey.x, history: here.keyHistory }, others },
  keyHistory: null,
  isForced: false,
})
const trusted = trustedAs(signer)
const DAY_MS = 86_400_000
const PACKAGES = ['zlib', 'curl', 'openssl', 'bash', 'musl'].map((name) => ({ name, version: '1.5-1', source: name }))

describeStore('a bundle of advisories', (createStore) => {
  const server = useFeedServer()
  let opened: OpenStore
  let directory = ''
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-exporter-'))
    opened = await openStore({ path: join(directory, 'collector.db') })
  })
  afterEach(async () => {
    await opened.close()
    rmSync(directory, { recursive: true })
  })
  const fetching = useFetching(() => opened.store)

  /** A collector with a network that has fetched one feed of each sort. */
  async function withFeeds() {
    const records = [
      osvRecord('DSA-1', 'zlib', '2-1'),
      osvRecord('DSA-2', 'curl', '1.2-1'),
      osvRecord('DSA-3', 'zlib', '9', { withdrawn: '2026-03-01T00:00:00Z' }),
      osvRecord('DSA-4', 'bash', 'no version!'),
      osvRecord('DSA-5', 'musl', '3', { aliases: ['CVE-2026-7777', 'DSA-5X'] }),
    ]
    server().serve('/all.zip', { body: zipOfRecords(records) })
    serveProvider(
      server(),
      'rolie',
      [1, 2].map((n) => provided(csafDocument(`ACME-${n}`, 'openssl', `${n}-1`))),
    )
    const kev = { catalogVersion: '1', dateReleased: '2026-01-01T00:00:00Z', count: 1 }
    server().serve('/kev', {
      body: JSON.stringify({ ...kev, vulnerabilities: [{ cveID: 'CVE-2026-1001', dateAdded: '2026-02-01' }] }),
    })
    server().serve('/epss', { body: 'cve,epss,percentile\nCVE-2026-1001,0.5,0.9\nCVE-2026-1002,0.25,0.5\n' })
    const { url } = server()
    const feeds = fetching([
      { name: 'debian', kind: 'osv-zip', url: `${url}/all.zip` },
      { name: 'acme', kind: 'csaf-provider', url: `${url}/provider-metadata.json` },
      { name: 'kev', kind: 'kev', url: `${url}/kev` },
      { name: 'epss', kind: 'epss', url: `${url}/epss` },
    ])
    for (let round = 0; round < 2; round++) await feeds.look()
    const vex = {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'ACME-VEX-1',
      author: 'Acme',
      timestamp: '2026-01-01T00:00:00Z',
      version: 1,
      statements: [
        {
          vulnerability: 'CVE-2026-1002',
          products: [{ '@id': 'pkg:deb/debian/curl?arch=source&distro=debian-12' }],
          status: 'not_affected',
          justification: 'vulnerable_code_not_present',
        },
      ],
    }
    await addAdvisories(opened.store, 'own', 'own', parseAdvisories(vex), feeds.now)
    return feeds
  }

  /** What the packages of a device mean, and what is known of the vulnerabilities, without the name of the own feed. */
  async function exposureOf(store: Store) {
    const digest = await saveDebianPosture(store, 'Acme', 'a gateway', PACKAGES)
    await computeExposures(store)
    const id = await store.exposures.inventoryOfPosture('Acme', digest)
    const found = await store.exposures.of(id ?? 0)
    const { items } = await store.advisories.list({ limit: 500 })
    const facts = await store.advisories.facts(items.flatMap(({ id: name, aliases }) => [name, ...aliases]))
    const all = {
      found: found.map((one) => JSON.stringify(one)).sort(),
      advisories: items.map(({ knownAt: _knownAt, ...one }) => JSON.stringify(one)).sort(),
      facts: [...facts].sort(([a], [b]) => (a < b ? -1 : 1)),
    }
    return JSON.parse(JSON.stringify(all).replaceAll(`own-${signer.slice(0, 8)}`, 'own')) as typeof all
  }

  async function take(store: Store, pages: readonly Uint8Array[], trust = trusted, now = Date.UTC(2026, 5, 2)) {
    let last: TakenPage | undefined
    for (const page of pages) last = await takeBundlePage(store, page, trust, () => now)
    return last?.feeds ?? null
  }

  it('gives exactly the exposure that its feeds gave, to a collector without a network', async () => {
    const { now } = await withFeeds()
    const wanted = await exposureOf(opened.store)
    expect(wanted.found.length).toBeGreaterThan(3)
    expect(wanted.facts.length).toBe(2)
    const store = createStore()
    const pages = await pagesOf(opened.store, keys)
    const taken = await take(store, pages)
    expect(taken?.map(({ feed }) => feed)).toEqual(['acme', 'debian', 'epss', 'kev', `own-${signer.slice(0, 8)}`])
    expect(await exposureOf(store)).toEqual(wanted)
    // As old as it was looked at, and by whom it was said.
    expect(await store.advisorySets.feed('debian')).toMatchObject({
      checkedAt: now,
      authority: 'distribution',
      etag: null,
    })
    // And from there to the next one.
    const further = await pagesOf(store, keys)
    expect(further.length).toBe(pages.length)
  })

  it('is the same bytes as long as nothing has changed', async () => {
    await withFeeds()
    const [one, other] = [await pagesOf(opened.store, keys), await pagesOf(opened.store, keys)]
    expect(other).toEqual(one)
    expect(one.length).toBeGreaterThan(4)
  })

  it('is as its description of the wire says', async () => {
    await withFeeds()
    const cddl = (await import('../../support/cddl.ts')).loadCddl(wireFormatText())
    for (const page of await pagesOf(opened.store, keys)) expect(cddl.check('advisory-bundle', page)).toBeUndefined()
  })

  it('takes nothing where one bit of it is another', async () => {
    await withFeeds()
    const store = createStore()
    const [first = new Uint8Array()] = await pagesOf(opened.store, keys)
    for (let at = 0; at < first.length; at += 7) {
      const damaged = Uint8Array.from(first)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      const code = await takeBundlePage(store, damaged, trusted, () => Date.UTC(2026, 5, 2)).then(
        () => 'taken',
        (error: { code?: string }) => error.code,
      )
      expect(['advisory.signature-invalid', 'advisory.malformed'], `byte ${at}`).toContain(code)
    }
    expect(await store.advisorySets.feeds()).toEqual([])
  })

  it('of somebody else is refused, unless somebody says whose it is', async () => {
    await withFeeds()
    const store = createStore()
    const stranger = testKeys()
    const pages = await pagesOf(opened.store, stranger)
    await expect(take(store, pages)).rejects.toMatchObject({ code: 'advisory.signature-invalid' })
    expect(await store.advisorySets.feeds()).toEqual([])
    expect(await take(store, pages, trustedAs(toHex(stranger.signer.keyId)))).toHaveLength(5)
  })

  it('counts when its last page is here, and not before, in order alone', async () => {
    await withFeeds()
    const store = createStore()
    const pages = await pagesOf(opened.store, keys)
    expect(await take(store, pages.slice(0, -1))).toBeNull()
    expect((await store.advisories.list({ limit: 9 })).items).toEqual([])
    const refused = async (list: readonly (Uint8Array | undefined)[]): Promise<unknown> =>
      take(
        store,
        list.filter((one) => one !== undefined),
      ).catch((error: { code?: string }) => error.code)
    expect(await refused([pages[0], pages[2]])).toBe('request.conflict')
    expect(await refused([pages.at(-1), pages.at(-1)])).toBe('request.conflict')
    expect(await refused([pages[0], pages[1], pages[1]])).toBe('request.conflict')
    expect((await store.advisories.list({ limit: 9 })).items).toEqual([])
    expect(await take(store, pages)).toHaveLength(5)
    expect((await store.advisories.list({ limit: 9 })).items.length).toBeGreaterThan(5)
  })

  it('that is older than what is here is refused, also when something came meanwhile, unless it is forced', async () => {
    await withFeeds()
    const store = createStore()
    const pages = await pagesOf(opened.store, keys)
    const newer = async (): Promise<unknown> => {
      const batches = [{ records: parseAdvisories([1, 2, 3, 4, 5].map((n) => osvRecord(`DSA-${n}`, 'zlib', '9'))) }]
      return importFeed(
        store,
        { feed: 'debian', authority: 'distribution', batches },
        () => Date.UTC(2026, 5, 1) + DAY_MS,
      )
    }
    const last = pages.at(-1) ?? new Uint8Array()
    await take(store, pages.slice(0, -1))
    await newer()
    await expect(take(store, [last])).rejects.toMatchObject({ code: 'advisory.bundle-older' })
    await expect(take(store, pages)).rejects.toMatchObject({ code: 'advisory.bundle-older' })
    expect((await store.advisories.list({ limit: 99 })).items.every(({ feed }) => feed === 'debian')).toBe(true)
    expect(await take(store, pages, { ...trusted, isForced: true })).toHaveLength(5)
    // Once more the same is neither older nor newer.
    expect(await take(store, pages)).toHaveLength(5)
  })

  it('that has lost half of a feed is refused, and nothing of it was taken', async () => {
    await withFeeds()
    const store = createStore()
    await take(store, await pagesOf(opened.store, keys))
    const batches = [{ records: parseAdvisories(osvRecord('DSA-1', 'zlib', '9')) }]
    await importFeed(opened.store, { feed: 'debian', authority: 'distribution', batches, mayShrink: true }, () =>
      Date.UTC(2026, 6, 1),
    )
    const smaller = await pagesOf(opened.store, keys)
    await expect(take(store, smaller, trusted, Date.UTC(2026, 6, 1))).rejects.toMatchObject({
      code: 'advisory.feed-shrunk',
    })
    expect(await store.advisorySets.feed('debian')).toMatchObject({ advisories: 5 })
    expect(await take(store, smaller, { ...trusted, isForced: true }, Date.UTC(2026, 6, 1))).toHaveLength(5)
  })

  it('is told to have been forced where its first page was, whatever comes with the last one', async () => {
    await withFeeds()
    const store = createStore()
    const pages = await pagesOf(opened.store, keys)
    await take(store, pages.slice(0, -1), { ...trusted, isForced: true })
    const last = pages.at(-1) ?? new Uint8Array()
    const taken = await takeBundlePage(store, last, trusted, () => Date.UTC(2026, 5, 2))
    expect(taken).toMatchObject({ isForced: true, feeds: { length: 5 } })
  })

  it('by a clock that is ahead is not younger than now', async () => {
    const feeds = await withFeeds()
    const store = createStore()
    const now = feeds.now - DAY_MS
    await take(store, await pagesOf(opened.store, keys), trusted, now)
    expect(await store.advisorySets.feed('debian')).toMatchObject({ checkedAt: now, changedAt: now })
  })

  it.each([
    ['what is no JSON', 'hello', undefined],
    ['an advisory without a name', '{"id":""}', undefined],
    ['fewer advisories than it says', '', undefined],
    ['less than it says', '{}', 99],
  ])('with %s is refused although it is signed', async (_, line, says) => {
    const text = utf8(line)
    const of = { authority: 'other', checkedAt: 1, changedAt: 1, digest: null, url: null }
    const page: BundlePage = {
      key: keys.publicKey.x,
      index: 0,
      previous: null,
      feeds: [{ name: 'debian', advisories: 3, ...of }],
      feed: 0,
      content: deflateZlib(text),
      unpacked: says ?? text.length,
      next: null,
    }
    const store = createStore()
    const bytes = await signBundlePage(page, keys.signer)
    expect(openBundlePage(bytes, { hash, ed25519Key }).signer).toBe(signer)
    await expect(take(store, [bytes])).rejects.toMatchObject({ code: 'advisory.malformed' })
    expect((await store.advisories.list({ limit: 9 })).items).toEqual([])
  })
})
