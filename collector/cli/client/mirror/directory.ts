import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { decodeCoseKey, encodeCoseKey, type CoseKey } from '../../../../shared/cose/key.ts'
import { ecdsaKey, ed25519Key, hash, rsaKey } from '../../../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../../../shared/errors.ts'
import {
  decodeKeyHistory,
  encodeKeyHistory,
  MAX_KEY_HISTORY_BYTES,
  type KeyChain,
} from '../../../../shared/evidence/key-history.ts'
import { MAX_PAGE_BYTES } from '../../../../shared/mirror/page.ts'
import { MirrorReader } from '../../../../shared/mirror/reader.ts'
import type { Position } from '../../../../shared/mirror/position.ts'
import { readInput } from '../inspect/files.ts'

/** Where a mirror is: the collector's key as it was at the first pull, what has led on from it, and its pages by number. */
const KEY_FILE = 'collector-key.cbor'
const HISTORY_FILE = 'key-history.cbor'
const PAGE_NAME = /^(\d{8})\.page$/

const pageFile = (directory: string, number: number): string =>
  join(directory, `${String(number).padStart(8, '0')}.page`)

/** Of the key that the first pull has pinned; undefined for a directory without a mirror. */
export function pinnedKey(directory: string): CoseKey | undefined {
  const path = join(directory, KEY_FILE)
  if (!existsSync(path)) {
    if (pageCount(directory) === 0) return undefined
    throw new KeepsealError('file.unreadable', `${path} is missing`)
  }
  try {
    return decodeCoseKey(readInput(path))
  } catch (cause) {
    if (cause instanceof OutcomeError)
      throw new KeepsealError('file.unreadable', `${path}: ${cause.message}`, { cause })
    throw cause
  }
}

export function pin(directory: string, key: CoseKey): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${directory} cannot be made`, { cause })
  }
  writeWhole(join(directory, KEY_FILE), encodeCoseKey(key))
}

/** The statements that have led on from the pinned key so far. Throws KeepsealError `file.unreadable`. */
export function followedStatements(directory: string): readonly Uint8Array[] {
  const path = join(directory, HISTORY_FILE)
  if (!existsSync(path)) return []
  try {
    return decodeKeyHistory(readInput(path, MAX_KEY_HISTORY_BYTES)).statements
  } catch (cause) {
    if (cause instanceof OutcomeError)
      throw new KeepsealError('file.unreadable', `${path}: ${cause.message}`, { cause })
    throw cause
  }
}

/** Where the mirror has arrived, for good. */
export const keepFollowed = (directory: string, pinned: Uint8Array, statements: readonly Uint8Array[]): void =>
  writeWhole(join(directory, HISTORY_FILE), encodeKeyHistory({ first: pinned, statements }))

function pageCount(directory: string): number {
  if (!existsSync(directory)) return 0
  const numbers = readdirSync(directory).flatMap((name) => PAGE_NAME.exec(name)?.[1] ?? [])
  return Math.max(0, ...numbers.map(Number))
}

export interface OpenMirror {
  readonly reader: MirrorReader
  /** Where each page ends, with what then stood there: from 0, the start. */
  readonly marks: readonly Mark[]
}

export type Mark = { readonly until: Position; readonly anchors: MirrorReader['anchors'] }

const markOf = ({ until, anchors }: MirrorReader): Mark => ({ until, anchors })

/** Reads and checks all pages, one after another. Throws KeepsealError `mirror.*` at the first that does not belong. */
export function openMirror(directory: string, { keys }: KeyChain): OpenMirror {
  const collector = keys.map(({ key }) => key)
  const reader = new MirrorReader(collector, { hash, ed25519Key, ecdsaKey, rsaKey })
  const marks: Mark[] = [markOf(reader)]
  const count = pageCount(directory)
  for (let number = 1; number <= count; number++) {
    const path = pageFile(directory, number)
    if (!existsSync(path)) throw new KeepsealError('mirror.chain-broken', `page ${number} is missing`)
    reader.add(readInput(path, MAX_PAGE_BYTES))
    marks.push(markOf(reader))
  }
  return { reader, marks }
}

/** The whole page is on the disk, or none of it. */
export const writePage = (directory: string, number: number, bytes: Uint8Array): void =>
  writeWhole(pageFile(directory, number), bytes)

/** A page that was refused: it is signed, and so a proof of what the collector says now. */
export function keepRefused(directory: string, bytes: Uint8Array): string {
  const path = join(directory, 'refused.cbor')
  writeWhole(path, bytes)
  return path
}

function writeWhole(path: string, bytes: Uint8Array): void {
  try {
    const file = openSync(`${path}.part`, 'w', 0o600)
    try {
      writeSync(file, bytes)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(`${path}.part`, path)
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${path} cannot be written`, { cause })
  }
}
