import * as v from 'valibot'
import { equal, fromHex, toHex } from '../../shared/bytes/bytes.ts'
import type { HashAlgorithm } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { PaddingMode } from '../../shared/ima/types.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { decodeChecked, encodeChecked } from './checked-json.ts'
import { readPrivateFile, writeDurably } from './files.ts'

/** What the agent has to know after a restart. All of it can be lost without harm but for some repetition. */
export interface Progress {
  /** The newest restore point of the collector, as it was signed. Older ones are refused. */
  readonly restorePoint: Uint8Array | null
  /** The newest epoch of the collector since then, as it was signed. Older ones are refused. */
  readonly highestEpoch: Uint8Array | null
  /** The newest receipt: its number, and SHA-256 of the message. */
  readonly lastReceipt: { readonly number: number; readonly hash: Uint8Array } | null
  readonly acknowledged: Acknowledged
  /** The newest result of the collector about this device, as it was signed. Older ones are refused. */
  readonly result: Uint8Array | null
  /** Number of the newest challenge that was answered; 0 before the first. */
  readonly answeredChallenge: number
  /** How often the agent was started in one boot of the kernel. */
  readonly starts: { readonly boot: Uint8Array; readonly count: number } | null
}

/** What the collector holds, and need not be sent again until it asks. All are SHA-256. */
export interface Acknowledged {
  readonly postureDigest: Uint8Array | null
  readonly pcrDigest: Uint8Array | null
  /** At most MAX_ACKNOWLEDGED_CONTENTS, the most recent last. */
  readonly contents: readonly Uint8Array[]
  readonly list: AcknowledgedList | null
}

/** How much of the kernel's measurement list the collector has decided about, in one boot of the kernel. */
export interface AcknowledgedList {
  /** The kernel's boot id. */
  readonly boot: Uint8Array
  readonly bank: HashAlgorithm
  /** The quoted PCR 10 that it was sent for. */
  readonly pcr10: Uint8Array
  /** The entries that lead to that value, and the bytes that they take; null where the list leads elsewhere. */
  readonly verified: { readonly entries: number; readonly bytes: number; readonly paddingMode: PaddingMode } | null
}

export const MAX_ACKNOWLEDGED_CONTENTS = 256

export const NO_PROGRESS: Progress = {
  restorePoint: null,
  highestEpoch: null,
  lastReceipt: null,
  acknowledged: { postureDigest: null, pcrDigest: null, contents: [], list: null },
  result: null,
  answeredChallenge: 0,
  starts: null,
}

/** Adds digests as the most recent ones; the least recent give way. */
export function acknowledgeContents(known: readonly Uint8Array[], added: readonly Uint8Array[]): Uint8Array[] {
  const recent = new Map([...known, ...added].map((digest) => [toHex(digest), digest]))
  for (const digest of added) {
    recent.delete(toHex(digest))
    recent.set(toHex(digest), digest)
  }
  return [...recent.values()].slice(-MAX_ACKNOWLEDGED_CONTENTS)
}

/** Whose progress it is. That of another enrolment means nothing. */
export interface ProgressOwner {
  readonly ueid: Ueid
  readonly collectorId: Uint8Array
}

const MAX_BYTES = 192 * 1024

/** Far more than the codes of all findings take. */
export const MAX_RESULT_BYTES = 32 * 1024

const bytes = (length: number) => v.pipe(v.string(), v.regex(/^[0-9a-f]*$/), v.length(length * 2), v.transform(fromHex))
const digest = bytes(32)
const someBytes = v.pipe(v.string(), v.maxLength(128), v.regex(/^([0-9a-f]{2})+$/), v.transform(fromHex))
const signed = v.pipe(v.string(), v.maxLength(8192), v.regex(/^([0-9a-f]{2})+$/), v.transform(fromHex))
const message = v.pipe(v.string(), v.maxLength(2 * MAX_RESULT_BYTES), v.regex(/^([0-9a-f]{2})+$/), v.transform(fromHex))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1))

const StoredList = v.strictObject({
  boot: someBytes,
  bank: v.picklist(['sha1', 'sha256', 'sha384', 'sha512']),
  pcr10: someBytes,
  verified: v.nullable(
    v.strictObject({ entries: count, bytes: count, paddingMode: v.picklist(['per-bank', 'sha1-padded']) }),
  ),
})

const StoredProgress = v.strictObject({
  version: v.literal(1),
  ueid: v.string(),
  collectorId: bytes(16),
  /** Absent in what earlier versions wrote. */
  restorePoint: v.optional(v.nullable(signed), null),
  highestEpoch: v.nullable(signed),
  lastReceipt: v.nullable(v.strictObject({ number: v.pipe(v.number(), v.safeInteger(), v.minValue(0)), hash: digest })),
  acknowledged: v.strictObject({
    postureDigest: v.nullable(digest),
    pcrDigest: v.nullable(digest),
    contents: v.pipe(v.array(digest), v.maxLength(MAX_ACKNOWLEDGED_CONTENTS)),
    /** The same. */
    list: v.optional(v.nullable(StoredList), null),
  }),
  /** The same. */
  result: v.optional(v.nullable(message), null),
  /** The same. */
  answeredChallenge: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
  /** The same. */
  starts: v.optional(v.nullable(v.strictObject({ boot: someBytes, count })), null),
})

function encode(
  { restorePoint, highestEpoch, lastReceipt, acknowledged, result, answeredChallenge, starts }: Progress,
  owner: ProgressOwner,
): Uint8Array {
  const hex = (value: Uint8Array | null): string | null => (value === null ? null : toHex(value))
  return encodeChecked({
    version: 1,
    ueid: owner.ueid,
    collectorId: toHex(owner.collectorId),
    restorePoint: hex(restorePoint),
    highestEpoch: hex(highestEpoch),
    lastReceipt: lastReceipt === null ? null : { number: lastReceipt.number, hash: toHex(lastReceipt.hash) },
    acknowledged: {
      postureDigest: hex(acknowledged.postureDigest),
      pcrDigest: hex(acknowledged.pcrDigest),
      contents: acknowledged.contents.map(toHex),
      list: encodeList(acknowledged.list),
    },
    result: hex(result),
    answeredChallenge,
    starts: starts === null ? null : { boot: toHex(starts.boot), count: starts.count },
  })
}

function encodeList(list: AcknowledgedList | null): object | null {
  if (list === null) return null
  const { boot, bank, pcr10, verified } = list
  return { boot: toHex(boot), bank, pcr10: toHex(pcr10), verified }
}

/** Undefined for what is not such a file; no progress for another owner's. */
function decode(content: Uint8Array, owner: ProgressOwner): Progress | undefined {
  const stored = decodeChecked(StoredProgress, content)
  if (stored === undefined) return undefined
  if (stored.ueid !== owner.ueid || !equal(stored.collectorId, owner.collectorId)) return NO_PROGRESS
  const { version: _, ueid: __, collectorId: ___, ...progress } = stored
  return progress
}

/** The progress on disk. */
export class ProgressFile {
  readonly #path: string
  readonly #owner: ProgressOwner
  #current: Progress
  #written: Uint8Array | undefined
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(path: string, owner: ProgressOwner, current: Progress) {
    this.#path = path
    this.#owner = owner
    this.#current = current
  }

  /** A file that cannot be used is told to `report`, and begun anew: it is no reason to stop measuring. */
  static async open(
    path: string,
    owner: ProgressOwner,
    report: (problem: KeepsealError) => void,
  ): Promise<ProgressFile> {
    try {
      const content = await readPrivateFile(path, MAX_BYTES)
      const stored = content === undefined ? NO_PROGRESS : decode(content, owner)
      if (stored === undefined) throw new KeepsealError('state.unreadable', path)
      const file = new ProgressFile(path, owner, stored)
      file.#written = content
      return file
    } catch (error) {
      if (!(error instanceof KeepsealError)) throw error
      report(error)
      return new ProgressFile(path, owner, NO_PROGRESS)
    }
  }

  get current(): Progress {
    return this.#current
  }

  /**
   * Changes the progress at once in memory, and resolves when it is on disk. Throws `state.disk-full` or
   * `state.unwritable`; the next update then writes this one too.
   */
  update(changes: Partial<Progress>): Promise<void> {
    this.#current = { ...this.#current, ...changes }
    const written = this.#queue.then(() => this.#write())
    this.#queue = written.catch(() => undefined)
    return written
  }

  async #write(): Promise<void> {
    const content = encode(this.#current, this.#owner)
    if (this.#written !== undefined && equal(content, this.#written)) return
    await writeDurably(this.#path, content)
    this.#written = content
  }
}
