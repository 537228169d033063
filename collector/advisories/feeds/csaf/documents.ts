import { createHash } from 'node:crypto'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { parseCsaf } from '../../../../shared/advisories/csaf.ts'
import { MAX_DOCUMENT_BYTES, parseJson } from '../../../../shared/advisories/reading.ts'
import type { AdvisoryRecord } from '../../../../shared/advisories/record.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import type { AdvisoryDocument } from '../../../model/advisory-fetch.ts'
import type { WrongRecord } from '../../../model/advisory.ts'
import { exists } from '../../../trust/key-files.ts'
import { digestOf, download } from '../download.ts'
import { inFile } from '../read.ts'
import { BadStatus, type Visit } from '../request.ts'
import { wholeText } from '../text.ts'
import { wrongRecord } from '../../wrong.ts'
import type { ListedDocument } from './listing.ts'
import type { SignatureChecker } from './openpgp.ts'

export interface DocumentStore {
  readonly directory: string
  readonly visit: Visit
  readonly checker: SignatureChecker | undefined
  /** Without a signature nothing is taken. */
  readonly isSignatureRequired: boolean
}

export interface FetchedDocument {
  readonly listed: ListedDocument
  readonly records: readonly AdvisoryRecord[]
  /** It is as it was when it was taken. */
  readonly isUnchanged: boolean
  /** What is wrong with it: then nothing of it is taken. */
  readonly wrong: WrongRecord | null
  /** By which it is seen to have changed. */
  readonly validators: Pick<AdvisoryDocument, 'etag' | 'lastModified' | 'digest'>
  readonly isSigned: boolean
  /** That were fetched for it now. */
  readonly bytes: number
}

const SMALL = 65_536
const ABSENT: readonly number[] = [404, 410]
/** Marks in the name of a kept file that its signature was checked. */
const SIGNED = '.signed'

const NO_VALIDATORS = { etag: null, lastModified: null, digest: null }

/**
 * One document, checked against the digest and the signature that stand beside it. It is kept until the whole feed is
 * taken, so that what breaks off goes on. `known`: as it was taken, where the feed does not say whether it has changed.
 * Errors: advisory.digest-mismatch, advisory.signature-invalid and others.
 */
export async function fetchDocument(
  listed: ListedDocument,
  store: DocumentStore,
  known?: AdvisoryDocument,
): Promise<FetchedDocument> {
  const { directory, checker } = store
  const name = createHash('sha256').update(`${listed.url}\n${listed.updated}`).digest('hex')
  const kept = [join(directory, `${name}${SIGNED}`), join(directory, name)] as const
  for (const [index, file] of kept.entries()) {
    // One that was taken without its signature is not enough where one is wanted.
    const isEnough = index === 0 || checker === undefined
    // Without a time nobody knows of what it is.
    if (listed.updated !== '' && isEnough && (await exists(file))) {
      const isSigned = index === 0
      return {
        listed,
        ...(await read(file, listed.url)),
        isUnchanged: false,
        validators: NO_VALIDATORS,
        isSigned,
        bytes: 0,
      }
    }
  }
  const file = join(directory, `${name}.new`)
  // Without validators of something known the answer is never "unchanged".
  const fetched = await download(listed.url, file, known ?? null, store.visit)
  const unchanged = { listed, records: [], isUnchanged: true, wrong: null, validators: NO_VALIDATORS, isSigned: true }
  if (fetched === 'unchanged') return { ...unchanged, bytes: 0 }
  const { etag, lastModified, sha256: digest, bytes } = fetched
  try {
    if (known !== undefined && known.digest === digest) {
      await rm(file, { force: true })
      return { ...unchanged, bytes }
    }
    await checkDigest(listed, file, store)
    const isSigned = await checkSignature(listed, file, store)
    const content = await read(file, listed.url)
    await rename(file, kept[isSigned ? 0 : 1])
    return { listed, ...content, isUnchanged: false, validators: { etag, lastModified, digest }, isSigned, bytes }
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}

async function read(file: string, name: string): Promise<Pick<FetchedDocument, 'records' | 'wrong'>> {
  let value: unknown
  try {
    value = parseJson(await wholeText(file, MAX_DOCUMENT_BYTES))
    return { records: parseCsaf(value), wrong: null }
  } catch (error) {
    const wrong = wrongRecord(name, error, { advisory: idIn(value) })
    if (wrong === undefined) throw inFile(name, error)
    return { records: [], wrong }
  }
}

const named = v.looseObject({ document: v.looseObject({ tracking: v.looseObject({ id: v.string() }) }) })

/** As far as it can be told of a document that is wrong. */
function idIn(value: unknown): string | null {
  const parsed = v.safeParse(named, value)
  return parsed.success ? parsed.output.document.tracking.id : null
}

/** The strongest that is served: CSAF 2.0, section 7.1.18. None is nothing wrong: not every provider has them. */
async function checkDigest(listed: ListedDocument, file: string, store: DocumentStore): Promise<void> {
  const told = (algorithm: string): string | undefined => listed.hashUrls.find((url) => url.endsWith(`.${algorithm}`))
  for (const algorithm of ['sha512', 'sha256'] as const) {
    const url = told(algorithm) ?? (listed.hashUrls.length === 0 ? `${listed.url}.${algorithm}` : undefined)
    if (url === undefined) continue
    const wanted = await fetchSmall(url, `${file}.${algorithm}`, store.visit)
    if (wanted === undefined) {
      if (told(algorithm) === undefined) continue
      throw new KeepsealError('advisory.digest-mismatch', `${url} is named and is not there`)
    }
    const [digest = ''] = wanted.toString('latin1').trim().split(/\s+/)
    if (digest.toLowerCase() !== (await digestOf(file, algorithm))) {
      throw new KeepsealError('advisory.digest-mismatch', `${listed.url}: not as ${url} says`)
    }
    return
  }
}

/** True where a signature was checked. Errors: advisory.signature-invalid, where there is a wrong one, or none as wanted. */
async function checkSignature(listed: ListedDocument, file: string, store: DocumentStore): Promise<boolean> {
  const { checker, visit, isSignatureRequired } = store
  if (checker === undefined) return false
  const at = `${file}.asc`
  const signature = await fetchSmall(listed.signatureUrl ?? `${listed.url}.asc`, at, visit, true)
  if (signature === undefined) {
    if (isSignatureRequired) throw new KeepsealError('advisory.signature-invalid', `${listed.url} has no signature`)
    return false
  }
  try {
    await checker.check(file, at, listed.url)
    return true
  } finally {
    await rm(at, { force: true })
  }
}

/** Undefined where the server says that there is none. */
async function fetchSmall(url: string, file: string, visit: Visit, isKept = false): Promise<Buffer | undefined> {
  try {
    await download(url, file, null, { ...visit, maxBytes: SMALL })
    const content = await readFile(file)
    if (!isKept) await rm(file, { force: true })
    return content
  } catch (error) {
    if (error instanceof BadStatus && ABSENT.includes(error.status)) return undefined
    throw error
  }
}
