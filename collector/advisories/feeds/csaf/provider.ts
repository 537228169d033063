import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_DOCUMENT_BYTES, parseJson } from '../../../../shared/advisories/reading.ts'
import type { AdvisoryDocument, SignatureState } from '../../../model/advisory-fetch.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { download } from '../download.ts'
import type { Feed } from '../feed.ts'
import { assertMayName, type Visit } from '../request.ts'
import { fetchDocument, type FetchedDocument } from './documents.ts'
import { distributionsOf, merged, readDirectory, readRolie, type Distribution, type ListedDocument } from './listing.ts'
import { signatureChecker } from './openpgp.ts'

/** What a provider offers now. */
export interface ProviderListing {
  readonly documents: readonly ListedDocument[]
  /** Hexadecimal; the same as long as nothing was added, changed or removed. */
  readonly digest: string
  /** For what is fetched after it. */
  readonly visit: Visit
}

/** Documents that are fetched at once. */
const AT_ONCE = 4
/** Of all documents that are fetched in one go: they lie on disk until all are here. */
const MAX_TOTAL_BYTES = 16 * 1024 ** 3

/** Follows a provider-metadata.json (CSAF 2.0, section 7.1.7) to its documents. Errors: advisory.*. */
export async function listProvider(feed: Feed, directory: string, first: Visit): Promise<ProviderListing> {
  let visit = first
  const fetchText = async (url: string, name: string): Promise<string> => {
    const file = join(directory, name)
    const done = await download(url, file, null, { ...visit, maxBytes: MAX_DOCUMENT_BYTES })
    if (done !== 'unchanged') visit = { ...visit, isPrivate: visit.isPrivate ?? done.isPrivate }
    const text = await readFile(file, 'utf8')
    await rm(file, { force: true })
    return text
  }
  const list = async (distribution: Distribution): Promise<readonly ListedDocument[]> => {
    const { kind, url } = distribution
    if (kind === 'rolie') return readRolie(parseJson(await fetchText(url, 'rolie'), 'ROLIE'), url)
    const root = url.endsWith('/') ? url : `${url}/`
    const changes = await fetchText(`${root}changes.csv`, 'changes')
    return readDirectory(await fetchText(`${root}index.txt`, 'index'), changes, root)
  }
  const metadata = parseJson(await fetchText(feed.url, 'provider-metadata'), 'provider-metadata')
  const lists: (readonly ListedDocument[])[] = []
  const from = new URL(feed.url)
  const assertNamed = (url: string): void => assertMayName(from, new URL(url), feed.plainHttp)
  for (const distribution of distributionsOf(metadata)) {
    assertNamed(distribution.url)
    const listed = await list(distribution)
    for (const { url, hashUrls, signatureUrl } of listed) [url, ...hashUrls, signatureUrl ?? url].forEach(assertNamed)
    lists.push(listed)
  }
  const documents = merged(lists)
  const hash = createHash('sha256')
  for (const { url, updated } of documents) hash.update(`${url}\n${updated}\n`)
  return { documents, digest: hash.digest('hex'), visit }
}

export interface DocumentFetch {
  readonly documents: AsyncIterable<FetchedDocument>
  /** When all were fetched. */
  readonly signature: () => SignatureState
}

/**
 * Fetches documents, some at a time. `known`: as they were taken, for those without a time. Where the configuration wants signatures and nothing here can check them, none.
 * Errors: advisory.signature-unchecked and those of single documents.
 */
export function fetchDocuments(
  feed: Feed,
  listed: readonly ListedDocument[],
  directory: string,
  visit: Visit,
  mostBytes = MAX_TOTAL_BYTES,
  known: ReadonlyMap<string, AdvisoryDocument> = new Map(),
): DocumentFetch {
  const isSignatureRequired = feed.signatures === 'required'
  let total = 0
  let allSigned = feed.openpgpKeyFile !== ''
  const documents = async function* (): AsyncGenerator<FetchedDocument> {
    const checker = feed.openpgpKeyFile === '' ? undefined : await signatureChecker(feed.openpgpKeyFile)
    if (checker === undefined && isSignatureRequired) throw new KeepsealError('advisory.signature-unchecked', feed.name)
    try {
      for (let at = 0; at < listed.length; at += AT_ONCE) {
        visit.signal.throwIfAborted()
        const store = { directory, visit, checker, isSignatureRequired }
        const some = await allOf(
          listed
            .slice(at, at + AT_ONCE)
            .map((one) => fetchDocument(one, store, one.updated === '' ? known.get(one.url) : undefined)),
        )
        allSigned &&= some.every(({ isSigned }) => isSigned)
        total += some.reduce((sum, { bytes }) => sum + bytes, 0)
        if (total > mostBytes) {
          await rm(directory, { recursive: true, force: true })
          throw new KeepsealError('advisory.too-large', `${feed.name}: documents of more than ${mostBytes} bytes`)
        }
        yield* some
      }
    } finally {
      await checker?.close()
    }
  }
  return { documents: documents(), signature: () => (allSigned ? 'checked' : 'not-checked') }
}

/** As Promise.all, but when all have ended: nothing goes on writing behind a failure. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
