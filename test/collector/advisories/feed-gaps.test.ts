import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { csafDocument, provided, serveProvider } from '../../support/csaf-provider.ts'
import { osvRecord, useFetching } from '../../support/feed-fetching.ts'
import { useFeedServer } from '../../support/feed-server.ts'
import { zipOfRecords } from '../../support/zip.ts'
import { describeStore } from '../store/support.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const many = (count: number, fixed = '2') =>
  Array.from({ length: count }, (_, index) => osvRecord(`DSA-${index + 1}`, `package-${index}`, fixed))
const wrong = (record: object) => ({ ...record, modified: 'never' }) as never

describeStore('feeds with something wrong in them', (createStore) => {
  const server = useFeedServer()
  const fetching = useFetching(createStore)
  const zipFeed = () => ({ name: 'debian', kind: 'osv-zip', url: `${server().url}/all.zip` }) as const
  const serve = (records: readonly object[]) => server().serve('/all.zip', { body: zipOfRecords(records as never) })
  const fixedIn = async (feed: ReturnType<typeof fetching>, advisory: string) =>
    (await feed.store.advisories.statementsOf(advisory)).map(({ statement }) => statement.ranges[0]?.fixed)
  const wrongOf = async (feed: ReturnType<typeof fetching>, name: string) => {
    const { activeSet } = await feed.standing(name)
    return (await feed.store.wrongRecords.ofSet(activeSet ?? 0)).map(({ place, code }) => `${place} ${code}`)
  }

  it('leave out a wrong record, of which goes on to count what it said before', async () => {
    const feed = fetching([zipFeed()])
    serve(many(30))
    await feed.look()
    const [first, ...others] = many(30, '3')
    serve([wrong({ ...first }), ...others])
    expect(await feed.fetch('debian')).toMatchObject({ code: null, wrong: 1, advisories: 30 })
    expect(await wrongOf(feed, 'debian')).toEqual(['DSA-1.json advisory.malformed'])
    expect([await fixedIn(feed, 'DSA-1'), await fixedIn(feed, 'DSA-2')]).toEqual([['2'], ['3']])
    // It is no other than before, and is not looked at again.
    const changed = await feed.store.exposures.changedPackages(100)
    expect(changed).toContain('package-1')
    serve(many(30, '3'))
    expect(await feed.fetch('debian')).toMatchObject({ code: null, wrong: 0, advisories: 30 })
    expect(await fixedIn(feed, 'DSA-1')).toEqual(['3'])
  })

  it.each([
    [19, 1, false],
    [20, 1, true],
    [199, 2, false],
    [200, 2, true],
  ])('of %i with %i wrong ones are taken: %s', async (count, few, isTaken) => {
    const feed = fetching([zipFeed()])
    serve(many(count))
    await feed.look()
    serve(many(count, '3').map((record, index) => (index < few ? wrong(record) : record)))
    const code = isTaken ? null : 'advisory.malformed'
    expect(await feed.fetch('debian')).toMatchObject({ code, wrong: isTaken ? few : 0, advisories: count })
    expect(await fixedIn(feed, `DSA-${count}`)).toEqual([isTaken ? '3' : '2'])
  })

  it('of a tracker leave out one vulnerability of one package', async () => {
    const of = (fixed: unknown) => ({ releases: { bookworm: { status: 'resolved', fixed_version: fixed } } })
    const tracker = (fixed: string, first: unknown) =>
      JSON.stringify({
        zlib: { 'CVE-2026-1': of(first), 'CVE-2026-2': of(fixed) },
        curl: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`CVE-2026-${n + 1}`, of(fixed)])),
      })
    const feed = fetching([{ name: 'tracker', kind: 'debian-tracker', url: `${server().url}/json` }])
    server().serve('/json', { body: tracker('2', '2') })
    await feed.look()
    server().serve('/json', { body: tracker('3', 7) })
    expect(await feed.fetch('tracker')).toMatchObject({ code: null, wrong: 1 })
    expect(await wrongOf(feed, 'tracker')).toEqual(['zlib CVE-2026-1 advisory.malformed'])
    const said = await feed.store.advisories.statementsOf('CVE-2026-1')
    expect(said.map(({ statement }) => `${statement.package} ${statement.ranges[0]?.fixed}`).sort()).toEqual([
      'curl 3',
      'zlib 2',
    ])
  })

  it('of a provider leave out one document, and fetch it again when it has changed', async () => {
    const documents = (fixed: string, at: string) =>
      Array.from({ length: 25 }, (_, n) => provided(csafDocument(`ACME-${n + 1}`, `package-${n}`, fixed, at)))
    const feed = fetching([{ name: 'acme', kind: 'csaf-provider', url: `${server().url}/provider-metadata.json` }])
    serveProvider(server(), 'rolie', documents('2', '2026-01-02T00:00:00Z'))
    await feed.look()
    const [first, ...others] = documents('3', '2026-02-02T00:00:00Z')
    if (first === undefined) throw new Error('no document')
    serveProvider(server(), 'rolie', [{ ...first, body: '{"document":{}}' }, ...others])
    expect(await feed.fetch('acme')).toMatchObject({ code: null, wrong: 1, advisories: 25 })
    expect([await fixedIn(feed, 'ACME-1'), await fixedIn(feed, 'ACME-2')]).toEqual([['2'], ['3']])
    serveProvider(server(), 'rolie', documents('4', '2026-03-02T00:00:00Z'))
    expect(await feed.fetch('acme')).toMatchObject({ code: null, wrong: 0, advisories: 25 })
    expect(await fixedIn(feed, 'ACME-1')).toEqual(['4'])
  })

  it('of a provider ask for documents of which no time is told, and take them when they have changed', async () => {
    const one = (n: number, fixed: string, updated: string) =>
      provided(csafDocument(`ACME-${n}`, `package-${n}`, fixed), { updated })
    const feed = fetching([{ name: 'acme', kind: 'csaf-provider', url: `${server().url}/provider-metadata.json` }])
    const dated = one(1, '2', '2026-01-02T00:00:00Z')
    serveProvider(server(), 'directory', [dated, one(2, '2', '')])
    await feed.look()
    const { changedAt } = await feed.standing('acme')
    const asked = () => server().asked.filter(({ path }) => path === '/csaf/2026/acme-2.json')
    feed.now += HOUR_MS
    expect(await feed.fetch('acme')).toMatchObject({ code: null, changedAt, checkedAt: feed.now })
    expect(asked().map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([false, true])
    serveProvider(server(), 'directory', [dated, one(2, '3', '')])
    expect(await feed.fetch('acme')).toMatchObject({ code: null, advisories: 2, changedAt: feed.now })
    expect(await fixedIn(feed, 'ACME-2')).toEqual(['3'])
  })

  it.each([
    ['1800', 1800],
    ['Mon, 01 Jun 2026 00:40:00 GMT', 2400],
    // No longer than an interval, whatever is said; and no sooner than without.
    ['99999999', 6 * 3600],
    ['1', 60],
    ['soon', 60],
  ])('are left alone for as long as the server says: %s', async (said, seconds) => {
    const feed = fetching([zipFeed()])
    server().serve('/all.zip', { status: 503, headers: { 'retry-after': said } })
    await feed.look()
    const { code, fetch } = await feed.standing('debian')
    expect([code, fetch.nextAt - feed.now]).toEqual(['advisory.feed-unreachable', seconds * 1000])
  })

  it('are fetched once more where somebody has asked meanwhile', async () => {
    const feed = fetching([zipFeed()])
    server().serve('/all.zip', { body: zipOfRecords(many(4)), drip: { bytes: 400, everyMs: 50 } })
    const looking = feed.look()
    await sleep(60)
    const asked = await feed.store.feedFetches.request('debian', true)
    await looking
    const begun = await feed.standing('debian')
    expect(begun.fetch).toMatchObject({ attempts: 1, asked, answered: 0, nextAt: 0, mayShrink: true })
    serve(many(1))
    await feed.look()
    const done = await feed.standing('debian')
    expect(done).toMatchObject({ advisories: 1, fetch: { attempts: 2, answered: asked, mayShrink: false } })
    expect(done.fetch.nextAt).toBeGreaterThan(feed.now)
  })

  it('that lose less than half each time are refused when half of the most is gone', async () => {
    const feed = fetching([zipFeed()])
    const fetched = async (count: number, mayShrink = false) => {
      serve(many(count))
      const { code, advisories } = await feed.fetch('debian', mayShrink)
      return [code, advisories]
    }
    expect(await fetched(100)).toEqual([null, 100])
    feed.now += DAY_MS
    expect(await fetched(60)).toEqual([null, 60])
    expect(await fetched(45)).toEqual(['advisory.feed-shrunk', 60])
    // A month later it is what it is.
    feed.now += 31 * DAY_MS
    expect(await fetched(45)).toEqual([null, 45])
    expect(await fetched(30)).toEqual(['advisory.feed-shrunk', 45])
    expect(await fetched(30, true)).toEqual([null, 30])
    expect(await fetched(20)).toEqual([null, 20])
    expect(await fetched(15)).toEqual(['advisory.feed-shrunk', 20])
  })
})
