import { fromHex, toHex } from '../../shared/bytes/bytes.ts'

/** One report that waits for its receipt. */
export interface OutboxEntry {
  /** Its place: grows with each entry, also over restarts. */
  readonly order: number
  /** 16 bytes. */
  readonly session: Uint8Array
  readonly sequence: number
  /** Seconds since 1970, by the agent's best knowledge. */
  readonly createdAt: number
  /** Bytes of the message, and their SHA-256. */
  readonly size: number
  readonly hash: Uint8Array
}

export const ENTRY_SUFFIX = '.evidence'

const NAME = /^(\d{12})-([0-9a-f]{32})-(\d{1,15})-(\d{1,15})-(\d{1,6})-([0-9a-f]{64})\.evidence$/

/**
 * Everything about an entry but the message is in its file name, so that opening an outbox reads no files, and a
 * truncated or damaged file is told by its size or its hash. Names sort by order.
 */
export function nameOf({ order, session, sequence, createdAt, size, hash }: OutboxEntry): string {
  const place = order.toString().padStart(12, '0')
  return `${place}-${toHex(session)}-${sequence}-${createdAt}-${size}-${toHex(hash)}${ENTRY_SUFFIX}`
}

/** Undefined for what is not the name of an entry. */
export function entryOf(name: string): OutboxEntry | undefined {
  const [, order, session = '', sequence, createdAt, size, hash = ''] = NAME.exec(name) ?? []
  if (order === undefined) return undefined
  return {
    order: Number(order),
    session: fromHex(session),
    sequence: Number(sequence),
    createdAt: Number(createdAt),
    size: Number(size),
    hash: fromHex(hash),
  }
}

const BLOCK = 4096

/** What a file takes of a disk: a report of 800 bytes takes a block. */
export const diskCost = (size: number): number => Math.ceil(Math.max(size, 1) / BLOCK) * BLOCK
