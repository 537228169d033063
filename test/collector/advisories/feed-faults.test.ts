import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { useFeedServer } from '../../support/feed-server.ts'
import { osvRecord, useFetching } from '../../support/feed-fetching.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { zipOf, zipOfRecords } from '../../support/zip.ts'
import { describeStore } from '../store/support.ts'

const four = ['DSA-1', 'DSA-2', 'DSA-3', 'DSA-4'].map((id) => osvRecord(id, 'zlib', '2'))
const ids = four.map(({ id }) => id)
const HOUR_MS = 3_600_000

describeStore('feeds of advisories that are fetched', (createStore) => {
  const server = useFeedServer()
  const fetching = useFetching(createStore)
  const zipFeed = (more: object = {}) =>
    ({ name: 'debian', kind: 'osv-zip', url: `${server().url}/all.zip`, ...more }) as const

  /** All of it was taken once. */
  async function taken(more: object = {}, over: Parameters<typeof fetching>[1] = {}) {
    server().serve('/all.zip', { body: zipOfRecords(four) })
    const feed = fetching([zipFeed(more)], over)
    await feed.look()
    expect(await feed.ids()).toEqual(ids)
    return feed
  }

  it('are taken whole, and asked for again with what the server said of them', async () => {
    const feed = await taken()
    expect(await feed.standing('debian')).toMatchObject({ code: null, advisories: 4, checkedAt: feed.now })
    feed.now += HOUR_MS
    await feed.look()
    expect(server().asked).toHaveLength(1)
    feed.now += 6 * HOUR_MS
    await feed.look()
    expect(server().asked[1]?.headers['if-none-match']).toBe((await feed.standing('debian')).etag)
    const { checkedAt, changedAt } = await feed.standing('debian')
    expect([checkedAt, changedAt]).toEqual([feed.now, feed.now - 7 * HOUR_MS])
    server().serve('/all.zip', { body: zipOfRecords([...four, osvRecord('DSA-5', 'curl', '3')]) })
    await feed.fetch('debian')
    expect(await feed.ids()).toEqual([...ids, 'DSA-5'])
    expect(await feed.told()).toEqual([])
  })

  it('without validators are not taken anew as long as they are the same', async () => {
    server().serve('/all.zip', { body: zipOfRecords(four), plain: true })
    const feed = fetching([zipFeed()])
    await feed.look()
    const { changedAt, activeSet } = await feed.standing('debian')
    feed.now += 7 * HOUR_MS
    await feed.look()
    expect(await feed.standing('debian')).toMatchObject({ changedAt, activeSet, checkedAt: feed.now })
  })

  it.each([
    ['404', { status: 404 }, 'advisory.feed-unreachable'],
    ['500', { status: 500 }, 'advisory.feed-unreachable'],
    [
      'a body that is cut off',
      { body: zipOfRecords(four).subarray(0, 200), cutAfter: 100, plain: true },
      'advisory.feed-unreachable',
    ],
    ['a redirect to itself', { redirect: '/all.zip' }, 'advisory.redirect-refused'],
    ['a redirect to a file', { redirect: 'file:///etc/passwd' }, 'advisory.redirect-refused'],
    ['a redirect to plain HTTP elsewhere', { redirect: 'http://feeds.example/all.zip' }, 'advisory.redirect-refused'],
    ['a redirect with credentials', { redirect: 'https://a:b@feeds.example/all.zip' }, 'advisory.redirect-refused'],
    ['no zip', { body: 'not found, but friendly' }, 'advisory.malformed'],
    ['half a zip', { body: zipOfRecords(four).subarray(0, 300) }, 'advisory.malformed'],
    [
      'a record that is none',
      { body: zipOfRecords([{ ...four[0], id: 'A B' } as never, ...four]) },
      'advisory.malformed',
    ],
    ['a file that is no JSON', { body: zipOf([{ name: 'a.json', content: Buffer.from('{') }]) }, 'advisory.malformed'],
    ['half of it', { body: zipOfRecords(four.slice(0, 2)) }, 'advisory.feed-shrunk'],
    ['nothing', { body: zipOf([]) }, 'advisory.feed-shrunk'],
  ])('that answer with %s change nothing', async (_, served, code) => {
    const feed = await taken()
    server().serve('/all.zip', served)
    const standing = await feed.fetch('debian')
    expect(standing).toMatchObject({ code, advisories: 4, fetch: { failures: 1 } })
    expect(await feed.ids()).toEqual(ids)
    const isRefused = code !== 'advisory.feed-unreachable'
    expect(await feed.told()).toEqual(isRefused ? [`feed.refused ${code}`] : [])
    // Told once, and over when it is good again.
    await feed.fetch('debian')
    expect(await feed.told()).toHaveLength(isRefused ? 1 : 0)
    server().serve('/all.zip', { body: zipOfRecords(four) })
    expect(await feed.fetch('debian')).toMatchObject({ code: null, fetch: { failures: 0 } })
  })

  it('that unpack to more than they may are refused before they do', async () => {
    const feed = await taken()
    const bomb = Buffer.alloc(8 * 1024 * 1024)
    const refused = async (body: Buffer): Promise<string | null> => {
      server().serve('/all.zip', { body })
      return (await feed.fetch('debian')).code
    }
    expect(await refused(zipOf([{ name: 'a.json', content: bomb }]))).toBe('advisory.too-large')
    expect(await refused(zipOf([{ name: 'a.json', content: bomb, says: { unpacked: 1000 } }]))).toBe(
      'advisory.too-large',
    )
    const content = Buffer.from(JSON.stringify(four[0]))
    const [one, other] = [
      { name: 'a.json', content },
      { name: 'b.json', content, says: { offset: 0 } },
    ]
    expect(await refused(zipOf([one, other]))).toBe('advisory.malformed')
    expect(await refused(zipOf([{ ...one, says: { crc: 1 } }]))).toBe('advisory.malformed')
    expect(await refused(zipOf([{ ...one, says: { method: 12 } }]))).toBe('advisory.malformed')
    expect(await feed.ids()).toEqual(ids)
  })

  it('that are larger than they may are not even read to their end', async () => {
    const feed = await taken({ max_bytes: 4096 })
    server().serve('/all.zip', { body: Buffer.alloc(1_000_000) })
    expect(await feed.fetch('debian')).toMatchObject({ code: 'advisory.too-large' })
    server().serve('/all.zip', { body: Buffer.alloc(1_000_000), headers: { 'content-length': '4000' } })
    expect(await feed.fetch('debian')).not.toMatchObject({ code: null })
    expect(await feed.ids()).toEqual(ids)
  })

  it('that are slow have their time, and those that stand still less', async () => {
    const feed = await taken({}, { idleMs: 150, wholeMs: 1_000 })
    const body = zipOfRecords([...four, osvRecord('DSA-5', 'curl', '3')])
    server().serve('/all.zip', { body, drip: { bytes: 400, everyMs: 20 } })
    expect(await feed.fetch('debian')).toMatchObject({ code: null, advisories: 5 })
    const six = zipOfRecords([...four, osvRecord('DSA-6', 'curl', '3')])
    server().serve('/all.zip', { body: six, drip: { bytes: 400, everyMs: 400 }, plain: true })
    expect((await feed.fetch('debian')).problem?.detail).toContain('nothing came for 0.15 s')
    server().serve('/all.zip', { body: six, drip: { bytes: 10, everyMs: 20 }, plain: true })
    expect((await feed.fetch('debian')).problem?.detail).toContain('longer than 1 s')
    expect(await feed.standing('debian')).toMatchObject({ code: 'advisory.feed-unreachable', advisories: 5 })
  })

  it('that break off go on where they ended', async () => {
    const feed = fetching([zipFeed()])
    const body = zipOfRecords(four)
    server().serve('/all.zip', { body, cutAfter: 300, cuts: 1 })
    await feed.look()
    expect(await feed.standing('debian')).toMatchObject({ code: 'advisory.feed-unreachable', activeSet: null })
    await feed.fetch('debian')
    expect(await feed.ids()).toEqual(ids)
    expect(server().asked[1]?.headers.range).toMatch(/^bytes=\d+-$/)
    // Another content since: what was begun is of no use.
    const more = zipOfRecords([...four, osvRecord('DSA-5', 'curl', '3')])
    server().serve('/all.zip', { body: more, cutAfter: 300, cuts: 1 })
    await feed.fetch('debian')
    const last = zipOfRecords([...four, osvRecord('DSA-6', 'curl', '3')])
    server().serve('/all.zip', { body: last })
    expect(await feed.fetch('debian')).toMatchObject({ code: null })
    expect(await feed.ids()).toEqual([...ids, 'DSA-6'])
  })

  it('that go on with what they did not break off in are begun anew', async () => {
    const feed = fetching([zipFeed()])
    const body = zipOfRecords(four)
    server().serve('/all.zip', { body, cutAfter: 300, cuts: 1 })
    await feed.look()
    // It takes the old validator, and says of the rest that it is of something else.
    server().serve('/all.zip', { body, headers: { etag: '"another"' } })
    expect(await feed.fetch('debian')).toMatchObject({ code: null })
    expect(server().asked.map(({ headers }) => headers.range !== undefined)).toEqual([false, true, false])
  })

  it('that send a part of what is missing as all of it are not taken', async () => {
    const feed = fetching([zipFeed()])
    const body = zipOfRecords(four)
    server().serve('/all.zip', { body, cutAfter: 300, cuts: 1 })
    await feed.look()
    const range = `bytes 300-${body.length - 1}/${body.length + 500}`
    server().serve('/all.zip', { body, headers: { 'content-range': range } })
    expect(await feed.fetch('debian')).toMatchObject({ code: 'advisory.feed-unreachable', activeSet: null })
  })

  it('that lost half are taken when somebody has looked, once', async () => {
    const feed = await taken()
    server().serve('/all.zip', { body: zipOfRecords(four.slice(0, 2)) })
    expect(await feed.fetch('debian', true)).toMatchObject({ code: null, advisories: 2, fetch: { mayShrink: false } })
    server().serve('/all.zip', { body: zipOfRecords(four.slice(0, 1)) })
    expect(await feed.fetch('debian')).toMatchObject({ code: 'advisory.feed-shrunk', advisories: 2 })
  })

  it('that fail are tried again, later each time, and never later than usual', async () => {
    server().serve('/all.zip', { status: 503 })
    const feed = fetching([zipFeed({ interval_seconds: 600 })])
    const waits: number[] = []
    for (let attempt = 0; attempt < 6; attempt++) {
      await feed.look()
      const { fetch } = await feed.standing('debian')
      waits.push((fetch.nextAt - feed.now) / 60_000)
      feed.now = fetch.nextAt
    }
    expect(waits).toEqual([1, 2, 4, 8, 10, 10])
    // A clock that was put back does not make it wait for the old time.
    feed.now -= 30 * 24 * HOUR_MS
    server().serve('/all.zip', { body: zipOfRecords(four) })
    await feed.look()
    expect(await feed.standing('debian')).toMatchObject({ code: null, checkedAt: feed.now })
  })

  it('that nobody could look at for long are told of, once, and once more when they are fresh', async () => {
    server().serve('/all.zip', { status: 503 })
    const feed = fetching([zipFeed({ max_age_seconds: 3600 })])
    await feed.look()
    expect(await feed.told()).toEqual([])
    feed.now += 2 * HOUR_MS
    await feed.look()
    await feed.look()
    expect(await feed.told()).toEqual(['feed.stale'])
    server().serve('/all.zip', { body: zipOfRecords(four) })
    await feed.fetch('debian')
    await feed.look()
    expect(await feed.told()).toEqual(['feed.stale', 'feed.fresh'])
  })

  it('tell credentials to nobody but the server that they are for', async () => {
    const { writeFileSync } = await import('node:fs')
    const file = `${process.env['TMPDIR'] ?? '/tmp'}/keepseal-authorization-${process.pid}`
    writeFileSync(file, 'Bearer abc\n', { mode: 0o600 })
    const other = server().url.replace('127.0.0.1', 'localhost')
    server().serve('/all.zip', { redirect: `${other}/there.zip` })
    server().serve('/there.zip', { body: zipOfRecords(four) })
    const feed = fetching([zipFeed({ authorization_file: file })])
    await feed.look()
    expect(await feed.ids()).toEqual(ids)
    expect(server().asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer abc', undefined])
  })

  it('of Debian, Alpine, single documents, KEV and EPSS are read as what they are', async () => {
    const { serve, url } = { serve: server().serve.bind(server()), url: server().url }
    const tracker = {
      zlib: {
        'CVE-2026-0001': { description: 'x', releases: { bookworm: { status: 'resolved', fixed_version: '2' } } },
      },
      curl: { 'CVE-2026-0002': { releases: { bookworm: { status: 'open' } } } },
    }
    const secdb = {
      distroversion: 'v3.19',
      packages: [{ pkg: { name: 'musl', secfixes: { '1.2-r1': ['CVE-2026-0003'] } } }],
    }
    serve('/tracker', { body: gzipSync(JSON.stringify(tracker)) })
    serve('/secdb', { body: JSON.stringify(secdb) })
    serve('/osv', { body: JSON.stringify(osvRecord('ACME-9', 'zlib', '3')) })
    const kev = { catalogVersion: '1', dateReleased: '2026-01-01T00:00:00Z', count: 1 }
    serve('/kev', {
      body: JSON.stringify({ ...kev, vulnerabilities: [{ cveID: 'CVE-2026-0001', dateAdded: '2026-02-01' }] }),
    })
    serve('/epss', { body: gzipSync('#model\ncve,epss,percentile\nCVE-2026-0001,0.5,0.9\n') })
    const of = (name: string, kind: 'debian-tracker' | 'alpine-secdb' | 'document' | 'kev' | 'epss') =>
      ({ name, kind, url: `${url}/${name}` }) as const
    const feed = fetching([
      of('tracker', 'debian-tracker'),
      of('secdb', 'alpine-secdb'),
      of('osv', 'document'),
      of('kev', 'kev'),
      of('epss', 'epss'),
    ])
    for (let round = 0; round < 3; round++) await feed.look()
    for (const name of ['tracker', 'secdb', 'osv', 'kev', 'epss'])
      expect((await feed.standing(name)).code, name).toBe(null)
    expect(await feed.ids()).toEqual(['ACME-9', 'CVE-2026-0001', 'CVE-2026-0002', 'CVE-2026-0003'])
    expect((await feed.store.advisories.facts(['CVE-2026-0001'])).get('CVE-2026-0001')).toEqual({
      cve: 'CVE-2026-0001',
      addedAt: Date.UTC(2026, 1, 1),
      dueAt: null,
      probability: 500_000,
      percentile: 900_000,
    })
    serve('/epss', { body: gzipSync('cve,epss,percentile\n').subarray(0, 20) })
    expect(await feed.fetch('epss')).toMatchObject({ code: 'advisory.malformed', advisories: 1 })
    serve('/tracker', { body: gzipSync(Buffer.alloc(100)).subarray(0, 15) })
    expect(await feed.fetch('tracker')).toMatchObject({ code: 'advisory.malformed', advisories: 2 })
  })

  it('whose records name each other in a circle, or are of the future, are taken', async () => {
    const circle = [
      osvRecord('A-1', 'zlib', '2', { aliases: ['A-2'] }),
      osvRecord('A-2', 'zlib', '2', { aliases: ['A-3'] }),
      osvRecord('A-3', 'zlib', '2', { aliases: ['A-1', 'A-3'], published: '2031-01-01T00:00:00Z' }),
    ]
    server().serve('/all.zip', {
      body: zipOfRecords(circle),
      headers: { 'last-modified': 'Fri, 01 Jan 2038 00:00:00 GMT' },
    })
    const feed = fetching([zipFeed()])
    await feed.look()
    expect(await feed.ids()).toEqual(['A-1', 'A-2', 'A-3'])
    const [known] = await feed.store.advisories.byId('A-3')
    expect(known).toMatchObject({ knownAt: feed.now, published: Date.UTC(2031, 0, 1) })
  })

  it('that are fetched from elsewhere now are asked for afresh, and those that are not wanted any more keep what they brought', async () => {
    const feed = await taken()
    server().serve('/other.zip', { body: zipOfRecords(four) })
    const moved = fetching([{ ...zipFeed(), url: `${server().url}/other.zip` }])
    await moved.look()
    expect(server().asked.at(-1)).toMatchObject({ path: '/other.zip' })
    expect(server().asked.at(-1)?.headers['if-none-match']).toBeUndefined()
    await fetching([]).look()
    expect(await feed.store.feedFetches.all()).toEqual([])
    expect(await feed.ids()).toEqual(ids)
  })
})

fixturesDescribe('advisories', 'recorded advisories of Debian, Ubuntu and CISA', () => {
  describeStore('that are fetched', (createStore) => {
    const server = useFeedServer()
    const fetching = useFetching(createStore)

    it('are taken as they are', async () => {
      const names = ['CVE-2022-27449', 'DLA-3623-1', 'DSA-3029-1', 'UBUNTU-CVE-2025-38094', 'USN-6332-1', 'USN-7234-1']
      const part = (name: string) => ({
        name: `${name}.json`,
        content: readFixture('advisories', 'osv', `${name}.json`),
      })
      server().serve('/osv.zip', { body: zipOf(names.map(part)) })
      server().serve('/kev.json', { body: readFixture('advisories', 'kev.json') })
      const { url } = server()
      const feed = fetching([
        { name: 'osv', kind: 'osv-zip', url: `${url}/osv.zip` },
        { name: 'kev', kind: 'kev', url: `${url}/kev.json` },
      ])
      await feed.look()
      expect(await feed.standing('osv')).toMatchObject({ code: null, advisories: names.length })
      expect(await feed.standing('kev')).toMatchObject({ code: null, advisories: 1404 })
      const ubuntu = await feed.store.advisories.statementsOf('UBUNTU-CVE-2025-38094')
      expect(
        ubuntu.some(
          ({ statement, cves }) => statement.ecosystem.startsWith('Ubuntu') && cves.includes('CVE-2025-38094'),
        ),
      ).toBe(true)
    })
  })
})
