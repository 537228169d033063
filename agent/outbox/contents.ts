import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { equal, toHex } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { KeepsealError } from '../../shared/errors.ts'
import { MAX_CONTENT_BYTES, type SectionEncoding } from '../../shared/evidence/section-part.ts'
import {
  ensurePrivateDirectory,
  readPrivateFile,
  TEMPORARY_SUFFIX,
  writeDurably,
  writeFailure,
} from '../state/files.ts'
import { diskCost } from './entry.ts'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/** A section or a log in the form in which it travels: see `partsOf`. */
export interface EncodedContent {
  /** SHA-256 of the content itself. */
  readonly digest: Uint8Array
  /** Bytes of the content itself. */
  readonly size: number
  readonly encoding: SectionEncoding
  readonly encoded: Uint8Array
}

export interface ContentStoreOptions {
  readonly directory: string
  /** Bytes on disk, each content in whole blocks. */
  readonly maxBytes: number
  /** Called after the store has grown. */
  readonly onGrow?: () => Promise<void>
  readonly report: (problem: KeepsealError) => void
}

interface Stored {
  readonly digest: string
  readonly encoding: SectionEncoding
  readonly size: number
  readonly cost: number
}

const SUFFIX = '.content'
const NAME = /^([0-9a-f]{64})-([01])-(\d{1,8})\.content$/

const nameOf = ({ digest, encoding, size }: Omit<Stored, 'cost'>): string => `${digest}-${encoding}-${size}${SUFFIX}`

/** DEFLATE (RFC 1951) where that is smaller. */
export async function encodeContent(content: Uint8Array): Promise<EncodedContent> {
  const deflated = await deflate(content)
  const smaller = deflated.length < content.length
  const encoded = smaller ? new Uint8Array(deflated) : content
  return { digest: new Uint8Array(sha256(content)), size: content.length, encoding: smaller ? 1 : 0, encoded }
}

/**
 * Contents that evidence names by their digests, so that the collector's requests can be answered. Bounded: those
 * that were put longest ago give way.
 */
export class ContentStore {
  readonly #options: ContentStoreOptions
  /** By digest in hexadecimal, the most recent last. */
  readonly #stored = new Map<string, Stored>()
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(options: ContentStoreOptions) {
    this.#options = options
  }

  /** Throws `state.insecure-permissions`, `state.unreadable`, `state.unwritable`, `state.disk-full`. */
  static async open(options: ContentStoreOptions): Promise<ContentStore> {
    await ensurePrivateDirectory(options.directory)
    const store = new ContentStore(options)
    await store.#load()
    await store.#evict()
    return store
  }

  /** What the contents take of the disk. */
  get bytes(): number {
    let sum = 0
    for (const { cost } of this.#stored.values()) sum += cost
    return sum
  }

  has(digest: Uint8Array): boolean {
    return this.#stored.has(toHex(digest))
  }

  /**
   * Keeps a content and makes it the most recent one. False when it is larger than what can be kept or sent at all.
   * Throws `state.disk-full` or `state.unwritable`, and then nothing is changed.
   */
  put(content: Uint8Array): Promise<boolean> {
    return this.#exclusive(async () => {
      const digest = toHex(sha256(content))
      const known = this.#stored.get(digest)
      if (known !== undefined) {
        this.#stored.delete(digest)
        this.#stored.set(digest, known)
        return true
      }
      if (content.length > MAX_CONTENT_BYTES) return false
      const { encoding, size, encoded } = await encodeContent(content)
      const stored = { digest, encoding, size, cost: diskCost(encoded.length) }
      if (stored.cost > this.#options.maxBytes) return false
      await writeDurably(this.#pathOf(stored), encoded)
      this.#stored.set(digest, stored)
      await this.#evict()
      await this.#options.onGrow?.()
      return true
    })
  }

  /** Undefined for a content that is not there, or damaged: then it is removed. */
  get(digest: Uint8Array): Promise<EncodedContent | undefined> {
    return this.#exclusive(async () => {
      const stored = this.#stored.get(toHex(digest))
      if (stored === undefined) return undefined
      const encoded = await readPrivateFile(this.#pathOf(stored), MAX_CONTENT_BYTES).catch(() => undefined)
      if (encoded !== undefined && equal(sha256(await decode(stored, encoded)), digest)) {
        return { digest: Uint8Array.from(digest), size: stored.size, encoding: stored.encoding, encoded }
      }
      await this.#remove(stored)
      return undefined
    })
  }

  /** Removes every content but these. */
  prune(keep: Iterable<Uint8Array>): Promise<void> {
    const kept = new Set([...keep].map(toHex))
    return this.#exclusive(async () => {
      for (const stored of this.#stored.values()) if (!kept.has(stored.digest)) await this.#remove(stored)
    })
  }

  #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action)
    this.#queue = result.catch(() => undefined)
    return result
  }

  #pathOf(stored: Stored): string {
    return join(this.#options.directory, nameOf(stored))
  }

  async #load(): Promise<void> {
    const found: { stored: Stored; modified: number }[] = []
    for (const name of await readdir(this.#options.directory)) {
      const path = join(this.#options.directory, name)
      const [, digest, encoding, size] = NAME.exec(name) ?? []
      if (digest === undefined) {
        if (name.endsWith(TEMPORARY_SUFFIX)) await rm(path, { force: true })
        continue
      }
      const entry = await stat(path)
      const stored = { digest, encoding: encoding === '0' ? 0 : 1, size: Number(size) } as const
      found.push({ stored: { ...stored, cost: diskCost(entry.size) }, modified: entry.mtimeMs })
    }
    found.sort((a, b) => a.modified - b.modified)
    for (const { stored } of found) this.#stored.set(stored.digest, stored)
  }

  async #evict(): Promise<void> {
    let left = this.bytes
    for (const stored of this.#stored.values()) {
      if (left <= this.#options.maxBytes) return
      left -= stored.cost
      await this.#remove(stored)
    }
  }

  async #remove(stored: Stored): Promise<void> {
    const path = this.#pathOf(stored)
    this.#stored.delete(stored.digest)
    await rm(path, { force: true }).catch((cause: unknown) => this.#options.report(writeFailure(path, cause)))
  }
}

/** Empty for what cannot be decoded: its digest then tells. */
async function decode({ encoding, size }: Stored, encoded: Uint8Array): Promise<Uint8Array> {
  if (encoding === 0) return encoded
  return inflate(encoded, { maxOutputLength: Math.max(size, 1) }).catch(() => new Uint8Array(0))
}
