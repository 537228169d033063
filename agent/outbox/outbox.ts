import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { equal, toHex } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { SessionReceipt } from '../../shared/evidence/down.ts'
import {
  ensurePrivateDirectory,
  readPrivateFile,
  TEMPORARY_SUFFIX,
  writeDurably,
  writeFailure,
} from '../state/files.ts'
import { CounterFile } from './counters.ts'
import { diskCost, ENTRY_SUFFIX, entryOf, nameOf, type OutboxEntry } from './entry.ts'

export interface OutboxOptions {
  readonly directory: string
  /** Bytes on disk, each report in whole blocks. */
  readonly maxBytes: number
  readonly maxAgeSeconds: number
  /** Seconds since 1970, by the agent's best knowledge: a clock that jumps ahead makes every report old. */
  readonly now: () => number
  /** Bytes of `maxBytes` that something else takes. */
  readonly reserved?: () => number
  /** Is told what went wrong without being the caller's failure. */
  readonly report: (problem: KeepsealError) => void
}

export interface NewEvidence {
  readonly session: Uint8Array
  readonly sequence: number
  /** Seconds since 1970, as of `now`. */
  readonly createdAt: number
}

/**
 * Reports on disk until the collector says that it has decided about them. Bounded in bytes and age: the oldest go
 * first, and are counted. Survives being killed at any moment: what `put` has promised is there, once.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #counters: CounterFile
  #entries: OutboxEntry[] = []
  #bytes = 0
  #nextOrder = 0
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(options: OutboxOptions, counters: CounterFile) {
    this.#options = options
    this.#counters = counters
  }

  /** Throws `state.insecure-permissions`, `state.unreadable`, `state.unwritable`, `state.disk-full`. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    await ensurePrivateDirectory(options.directory)
    const counters = await CounterFile.open(join(options.directory, 'counters.json'), options.report)
    const outbox = new Outbox(options, counters)
    await outbox.#load()
    await outbox.trim()
    return outbox
  }

  /** Oldest first. */
  get entries(): readonly OutboxEntry[] {
    return this.#entries
  }

  /** What the reports take of the disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Reports that were lost, since this outbox was made. */
  get droppedCount(): number {
    return this.#counters.current.dropped
  }

  get refusedCount(): number {
    return this.#counters.current.refused
  }

  /**
   * Keeps a report. When this resolves it is on disk, and older ones may have gone to make room.
   * Throws `state.disk-full` or `state.unwritable`, and then nothing is changed.
   */
  put(evidence: Uint8Array, { session, sequence, createdAt }: NewEvidence): Promise<OutboxEntry> {
    return this.#exclusive(async () => {
      const order = this.#nextOrder
      const entry = {
        order,
        session,
        sequence,
        createdAt,
        size: evidence.length,
        hash: new Uint8Array(sha256(evidence)),
      }
      const path = this.#pathOf(entry)
      await writeDurably(path, evidence).catch(async (failure: unknown) => {
        // It may be there although it is not durable. Found at the next start, it would be a second content for the
        // place that the next report takes, which is what a clone looks like.
        await rm(path, { force: true }).catch(() => undefined)
        throw failure
      })
      this.#nextOrder++
      this.#entries = [...this.#entries, entry]
      this.#bytes += diskCost(entry.size)
      await this.#trim()
      return entry
    })
  }

  /** The bytes that were put. Undefined when the entry is gone, or damaged: then it is dropped and counted. */
  read(entry: OutboxEntry): Promise<Uint8Array | undefined> {
    return this.#exclusive(async () => {
      if (!this.#entries.includes(entry)) return undefined
      const content = await readPrivateFile(this.#pathOf(entry), entry.size).catch(() => undefined)
      if (content !== undefined && equal(sha256(content), entry.hash)) return content
      await this.#count({ dropped: 1 })
      await this.#remove([entry])
      return undefined
    })
  }

  /** Removes what the collector holds. Returns how many reports that were. */
  receipted(sessions: readonly SessionReceipt[]): Promise<number> {
    const bySession = new Map(sessions.map((receipt) => [toHex(receipt.session), receipt]))
    const isHeld = ({ session, sequence }: OutboxEntry): boolean => {
      const receipt = bySession.get(toHex(session))
      return receipt !== undefined && (sequence <= receipt.contiguousTo || receipt.extra.includes(sequence))
    }
    return this.#exclusive(() => this.#remove(this.#entries.filter(isHeld)))
  }

  /** Removes what the collector will never take, and counts it. Returns how many reports that were. */
  refused(hashes: readonly Uint8Array[]): Promise<number> {
    const refused = new Set(hashes.map(toHex))
    return this.#exclusive(async () => {
      const found = this.#entries.filter(({ hash }) => refused.has(toHex(hash)))
      if (found.length > 0) await this.#count({ refused: found.length })
      return this.#remove(found)
    })
  }

  /** Lets the oldest go while there are too many bytes or while they are too old. Never rejects. */
  trim(): Promise<void> {
    return this.#exclusive(() => this.#trim())
  }

  #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action)
    this.#queue = result.catch(() => undefined)
    return result
  }

  #pathOf(entry: OutboxEntry): string {
    return join(this.#options.directory, nameOf(entry))
  }

  async #load(): Promise<void> {
    const { directory } = this.#options
    const { firstKept } = this.#counters.current
    const names = await readdir(directory)
    const kept: OutboxEntry[] = []
    let damaged = 0
    for (const name of names.sort()) {
      const path = join(directory, name)
      const entry = entryOf(name)
      const size = entry === undefined ? undefined : (await stat(path).catch(() => undefined))?.size
      if (entry !== undefined && entry.order >= firstKept && size === entry.size) {
        kept.push(entry)
        this.#bytes += diskCost(entry.size)
        continue
      }
      const counted = entry !== undefined && entry.order < firstKept
      if (name.endsWith(ENTRY_SUFFIX) && !counted) damaged++
      else if (!counted && !name.endsWith(TEMPORARY_SUFFIX)) continue // nothing of ours
      await rm(path, { force: true, recursive: true }).catch((cause: unknown) => this.#report(path, cause))
    }
    this.#entries = kept
    this.#nextOrder = Math.max(firstKept, (this.#entries.at(-1)?.order ?? -1) + 1)
    if (damaged > 0) await this.#count({ dropped: damaged })
  }

  async #trim(): Promise<void> {
    const { maxBytes, maxAgeSeconds, now, reserved } = this.#options
    const oldest = now() - maxAgeSeconds
    const limit = maxBytes - (reserved?.() ?? 0)
    const dropped: OutboxEntry[] = []
    let left = this.#bytes
    for (const entry of this.#entries) {
      if (left <= limit && entry.createdAt >= oldest) break
      dropped.push(entry)
      left -= diskCost(entry.size)
    }
    const last = dropped.at(-1)
    if (last === undefined) return
    // Counted first, with the place up to which it counts: a crash in between neither hides a loss nor doubles it.
    await this.#count({ dropped: dropped.length, firstKept: last.order + 1 })
    await this.#remove(dropped).catch((cause: unknown) => this.#report(this.#options.directory, cause))
  }

  /** A count that cannot be written now is written with the next one; it is no reason to keep or to lose a report. */
  async #count(counts: Parameters<CounterFile['add']>[0]): Promise<void> {
    await this.#counters.add(counts).catch((cause: unknown) => this.#report('counters.json', cause))
  }

  async #remove(entries: readonly OutboxEntry[]): Promise<number> {
    const removed = new Set<OutboxEntry>()
    try {
      for (const entry of entries) {
        await rm(this.#pathOf(entry), { force: true })
        removed.add(entry)
        this.#bytes -= diskCost(entry.size)
      }
    } catch (cause) {
      throw writeFailure(this.#options.directory, cause)
    } finally {
      if (removed.size > 0) this.#entries = this.#entries.filter((entry) => !removed.has(entry))
    }
    return removed.size
  }

  #report(path: string, cause: unknown): void {
    this.#options.report(writeFailure(path, cause))
  }
}
