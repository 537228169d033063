import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchDocuments } from '../../../collector/advisories/feeds/csaf/provider.ts'
import { feedOf } from '../../../collector/advisories/feeds/feed.ts'
import { makeAgents, type Visit } from '../../../collector/advisories/feeds/request.ts'
import { signatureChecker } from '../../../collector/advisories/feeds/csaf/openpgp.ts'
import { csafDocument, provided, serveProvider, type ProvidedDocument } from '../../support/csaf-provider.ts'
import { useFeedServer } from '../../support/feed-server.ts'
import { useFetching } from '../../support/feed-fetching.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { hasOpenPgp, OpenPgpKey } from '../../support/openpgp.ts'
import { describeStore } from '../store/support.ts'

const documents = [1, 2, 3, 4].map((n) => provided(csafDocument(`ACME-${n}`, `package-${n}`, `${n}`)))
const ids = ['ACME-1', 'ACME-2', 'ACME-3', 'ACME-4']

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items) continue
}

describeStore('providers of CSAF', (createStore) => {
  const server = useFeedServer()
  const fetching = useFetching(createStore)
  const feed = (more: object = {}) =>
    ({ name: 'acme', kind: 'csaf-provider', url: `${server().url}/provider-metadata.json`, ...more }) as const
  const asked = (): readonly string[] => server().asked.map(({ path }) => path)

  it.each(['rolie', 'directory'] as const)(
    'are read by their %s, at first whole, then what has changed',
    async (kind) => {
      serveProvider(server(), kind, documents)
      const acme = fetching([feed()])
      await acme.look()
      expect(await acme.standing('acme')).toMatchObject({
        code: null,
        advisories: 4,
        fetch: { signature: 'not-checked' },
      })
      expect(await acme.ids()).toEqual(ids)
      expect(asked()).not.toContain('/secret.json')
      const before = asked().length
      await acme.fetch('acme')
      expect(
        asked()
          .slice(before)
          .filter((path) => path.startsWith('/csaf/2026/')),
      ).toEqual([])
      const changed = provided(csafDocument('ACME-2', 'another', '9', '2026-03-01T00:00:00Z'))
      const added = provided(csafDocument('ACME-5', 'package-5', '5'))
      serveProvider(
        server(),
        kind,
        [documents[0], changed, documents[2], added].filter((one) => one !== undefined),
      )
      await acme.fetch('acme')
      expect(await acme.ids()).toEqual(['ACME-1', 'ACME-2', 'ACME-3', 'ACME-5'])
      const [entry] = await acme.store.advisories.statementsOf('ACME-2')
      expect(entry?.statement.package).toBe('another')
      expect(asked().filter((path) => path === '/csaf/2026/acme-1.json')).toHaveLength(1)
      // What it said of the other package is to be looked at again too.
      expect(await acme.store.exposures.changedPackages(20)).toEqual(
        expect.arrayContaining(['another', 'package-2', 'package-4']),
      )
    },
  )

  it.each(['document', 'digest', 'signature', 'ROLIE feed'] as const)(
    'that name a %s without TLS elsewhere are refused, and nobody is asked for it',
    async (named) => {
      serveProvider(server(), 'rolie', documents)
      const plain = 'http://feeds.example/one.json'
      const { url } = server()
      if (named === 'ROLIE feed') {
        const rolie = { feeds: [{ url: plain, tlp_label: 'WHITE' }] }
        const metadata = { metadata_version: '2.0', publisher: { name: 'Acme' }, distributions: [{ rolie }] }
        server().serve('/provider-metadata.json', { body: JSON.stringify(metadata) })
      } else {
        const self = named === 'document' ? plain : `${url}/csaf/2026/acme-1.json`
        const link = [
          { rel: 'self', href: self },
          ...(named === 'digest' ? [{ rel: 'hash', href: `${plain}.sha512` }] : []),
          ...(named === 'signature' ? [{ rel: 'signature', href: `${plain}.asc` }] : []),
        ]
        const entry = [{ id: 'one', updated: '2026-01-02T00:00:00Z', link }]
        server().serve('/rolie.json', { body: JSON.stringify({ feed: { entry } }) })
      }
      const acme = fetching([feed()])
      await acme.look()
      expect(await acme.standing('acme')).toMatchObject({ code: 'advisory.redirect-refused', activeSet: null })
    },
  )

  const [first, ...others] = documents as [ProvidedDocument, ...ProvidedDocument[]]
  it.each([
    [
      'a document that has not the digest that is told',
      [{ ...first, updated: '2027-01-01T00:00:00Z', sha512: 'ab'.repeat(64) }],
      'advisory.digest-mismatch',
    ],
    ['a document that is none', [{ ...first, updated: '2027-01-01T00:00:00Z', body: '{}' }], 'advisory.malformed'],
    ['a document that is not there', [{ ...first, path: '../elsewhere.json' }], 'advisory.malformed'],
    ['half of them', [], 'advisory.feed-shrunk'],
  ] as const)('with %s change nothing', async (name, some, code) => {
    serveProvider(server(), 'directory', documents)
    const acme = fetching([feed()])
    await acme.look()
    serveProvider(server(), 'directory', name === 'half of them' ? documents.slice(2) : [...some, ...others])
    expect(await acme.fetch('acme')).toMatchObject({ code, advisories: 4 })
    expect(await acme.ids()).toEqual(ids)
    expect(await acme.store.feedFetches.documents('acme')).toHaveLength(4)
    expect(await acme.told()).toEqual([`feed.refused ${code}`])
  })

  it('that break off in the middle go on with what was not fetched yet', async () => {
    serveProvider(server(), 'directory', documents)
    server().serve('/csaf/2026/acme-4.json', { status: 500 })
    const acme = fetching([feed()])
    await acme.look()
    expect(await acme.standing('acme')).toMatchObject({ code: 'advisory.feed-unreachable', activeSet: null })
    expect(await acme.ids()).toEqual([])
    serveProvider(server(), 'directory', documents)
    expect(await acme.fetch('acme')).toMatchObject({ code: null })
    expect(await acme.ids()).toEqual(ids)
    expect(asked().filter((path) => path === '/csaf/2026/acme-1.json')).toHaveLength(1)
  })

  it('are refused where their documents are more than fits', async () => {
    serveProvider(server(), 'directory', documents)
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-documents-'))
    const agents = makeAgents()
    const visit: Visit = {
      maxBytes: 1_000_000,
      wholeMs: 5_000,
      idleMs: 5_000,
      plainHttp: true,
      isPrivate: true,
      authorization: null,
      agents,
      signal: new AbortController().signal,
    }
    const listed = documents.map(({ path, updated }) => {
      const url = `${server().url}/csaf/${path}`
      return { url, updated, hashUrls: [], signatureUrl: null }
    })
    const all = fetchDocuments(feedOf(feed()), listed, directory, visit, 2000)
    await expect(drain(all.documents)).rejects.toMatchObject({ code: 'advisory.too-large' })
    expect(existsSync(directory)).toBe(false)
    agents.plain.destroy()
  })

  it('are refused where they are none', async () => {
    const acme = fetching([feed()])
    server().serve('/provider-metadata.json', {
      body: JSON.stringify({ metadata_version: '2.0', publisher: { name: 'x' } }),
    })
    await acme.look()
    expect(await acme.standing('acme')).toMatchObject({ code: 'advisory.format-unknown', activeSet: null })
    server().serve('/provider-metadata.json', { body: '<html>' })
    expect(await acme.fetch('acme')).toMatchObject({ code: 'advisory.malformed', activeSet: null })
  })

  describe.skipIf(!hasOpenPgp)(`with signatures${hasOpenPgp ? '' : ' (skipped: gpg and gpgv are not here)'}`, () => {
    let key: OpenPgpKey
    let stranger: OpenPgpKey
    let directory: string
    beforeAll(() => {
      ;[key, stranger] = [new OpenPgpKey(), new OpenPgpKey()]
      directory = mkdtempSync(join(tmpdir(), 'keepseal-key-'))
      writeFileSync(join(directory, 'acme.asc'), key.publicKey)
    })
    afterAll(() => {
      key.remove()
      stranger.remove()
      rmSync(directory, { recursive: true })
    })
    const signedBy = (by: OpenPgpKey, list: readonly ProvidedDocument[]): ProvidedDocument[] =>
      list.map((one) => ({ ...one, signature: by.sign(one.body) }))
    const pinned = (signatures: 'required' | 'checked') =>
      feed({ openpgp_key_file: join(directory, 'acme.asc'), signatures })

    it('by the pinned key are taken, and shown as checked', async () => {
      serveProvider(server(), 'directory', signedBy(key, documents))
      const acme = fetching([pinned('required')])
      await acme.look()
      expect(await acme.standing('acme')).toMatchObject({ code: null, advisories: 4, fetch: { signature: 'checked' } })
    })

    it.each(['required', 'checked'] as const)('by another key are refused (%s)', async (demand) => {
      serveProvider(server(), 'directory', [
        ...signedBy(key, documents.slice(1)),
        ...signedBy(stranger, documents.slice(0, 1)),
      ])
      const acme = fetching([pinned(demand)])
      await acme.look()
      expect(await acme.standing('acme')).toMatchObject({ code: 'advisory.signature-invalid', activeSet: null })
    })

    it('of something else are refused', async () => {
      serveProvider(
        server(),
        'rolie',
        documents.map((one) => ({ ...one, signature: key.sign('something else') })),
      )
      const acme = fetching([pinned('checked')])
      await acme.look()
      expect(await acme.standing('acme')).toMatchObject({ code: 'advisory.signature-invalid', activeSet: null })
    })

    it('that are missing are refused where they are required, and shown where they are not', async () => {
      serveProvider(server(), 'directory', documents)
      const strict = fetching([pinned('required')])
      await strict.look()
      expect(await strict.standing('acme')).toMatchObject({ code: 'advisory.signature-invalid', activeSet: null })
      const lenient = fetching([pinned('checked')])
      await lenient.fetch('acme')
      expect(await lenient.standing('acme')).toMatchObject({ code: null, fetch: { signature: 'not-checked' } })
    })

    it('cannot be checked without a verifier', async () => {
      expect(await signatureChecker(join(directory, 'acme.asc'), [])).toBeUndefined()
    })
  })
})

fixturesDescribe('advisories', 'recorded documents of CSAF', () => {
  describeStore('from a provider', (createStore) => {
    const server = useFeedServer()
    const fetching = useFetching(createStore)

    it('are taken as they are', async () => {
      const names = [
        'bsi-2022-0001.json',
        'rhsa-2022_0011.json',
        '2022-evd-uc-01-a-001.json',
        '2022-evd-uc-01-na-001.json',
      ]
      const list = names.map((path) => ({
        path,
        updated: '2022-01-01T00:00:00Z',
        body: readFixture('advisories', 'csaf', path),
      }))
      serveProvider(server(), 'rolie', list)
      const acme = fetching([{ name: 'acme', kind: 'csaf-provider', url: `${server().url}/provider-metadata.json` }])
      await acme.look()
      expect(await acme.standing('acme')).toMatchObject({ code: null })
      expect((await acme.store.feedFetches.documents('acme')).length).toBe(4)
      expect(
        (await acme.store.advisories.list({ limit: 50 })).items.some(({ id }) => id.startsWith('RHSA-2022:0011')),
      ).toBe(true)
    })
  })
})
