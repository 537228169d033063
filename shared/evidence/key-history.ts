import { equal } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import type { DeviceKey } from './evidence.ts'
import { MAX_STATEMENT_BYTES, successorsAmong } from './succession.ts'

/**
 * The succession of a collector for those who are no devices: who keeps a mirror of it, takes what it has signed from a
 * file, or checks that years later. They know one key of it, or its thumbprint alone, and want to know which keys were in
 * force since, and when.
 */
export interface KeyHistory {
  /** Ed25519, 32 bytes: has signed the first statement; without statements the key in force. null: it is not known. */
  readonly first: Uint8Array | null
  /** Oldest first, none of them looked at. */
  readonly statements: readonly Uint8Array[]
}

/** A key of a collector, and for how long it counted. Times are seconds since 1970 by the collector's clock. */
export interface KeyInForce {
  readonly x: Uint8Array
  readonly key: DeviceKey
  /** Of the statement that names it; null for the key that one began with. */
  readonly number: number | null
  readonly since: number | null
  /** When the next one was named; null for the newest. */
  readonly until: number | null
}

/** Keys that followed one another, each named by the one before. */
export interface KeyChain {
  /** Oldest first, from the first to the newest. */
  readonly keys: readonly KeyInForce[]
  /** That which somebody trusts by himself. */
  readonly first: KeyInForce
  readonly newest: KeyInForce
  /** The statements that led there: those that name another key. */
  readonly statements: readonly Uint8Array[]
}

/** More than a collector sends (MAX_STATEMENTS): who has followed it for decades knows keys that it has forgotten. */
const MAX_KEYS = 256
export const MAX_KEY_HISTORY_BYTES = 524_288
const LIMITS = { maxBytes: MAX_KEY_HISTORY_BYTES, maxDepth: 4, maxItems: MAX_KEYS + 4 }

type ImportKey = (key: Uint8Array) => DeviceKey

/** A collector that was told of its next key is started again some time later, and signs with the former one till then. */
const HANDOVER_SECONDS = 3600

/** Throws RangeError for more than anybody reads. */
export function encodeKeyHistory({ first, statements }: KeyHistory): Uint8Array {
  const bytes = encodeCbor([first, [...statements]])
  if (statements.length > MAX_KEYS || bytes.length > MAX_KEY_HISTORY_BYTES) {
    throw new RangeError(`${statements.length} statements of ${bytes.length} bytes`)
  }
  return bytes
}

/** Throws OutcomeError `cbor.*`, `claims.malformed`. */
export function decodeKeyHistory(bytes: Uint8Array): KeyHistory {
  const [first, statements] = field(decodeCbor(bytes, LIMITS), 'claims.malformed', 'key-history').tuple(
    'first',
    'statements',
  )
  return {
    first: first.nullable()?.bytes({ length: 32 }) ?? null,
    statements: statements
      .array({ max: MAX_KEYS })
      .map((statement) => statement.bytes({ min: 1, max: MAX_STATEMENT_BYTES })),
  }
}

/** What the key `from` leads to by these statements, of which the right ones are picked as a device does. */
export function keysAfter(from: Uint8Array, statements: readonly Uint8Array[], importKey: ImportKey): KeyChain {
  const first: KeyInForce = { x: from, key: importKey(from), number: null, since: null, until: null }
  const keys = [first]
  const leading: Uint8Array[] = []
  let newest = first
  for (const { number, at, key: x, statement } of successorsAmong(
    { id: null, key: first.key, number: 0 },
    statements,
    importKey,
  )) {
    if (equal(x, newest.x)) continue
    keys[keys.length - 1] = { ...newest, until: at }
    newest = { x, key: importKey(x), number, since: at, until: null }
    keys.push(newest)
    leading.push(statement)
  }
  return { keys, first: keys[0] ?? first, newest, statements: leading }
}

/** The same from a key of which the thumbprint is known; undefined where the history does not have that key. */
export function keysAfterThumbprint(
  thumbprint: Uint8Array,
  { first, statements }: KeyHistory,
  importKey: ImportKey,
): KeyChain | undefined {
  if (first === null) return undefined
  // Whoever made this up can begin with any key; only the one with the right thumbprint says anything.
  const found = keysAfter(first, statements, importKey).keys.find(({ key }) => equal(key.thumbprint, thumbprint))
  return found && keysAfter(found.x, statements, importKey)
}

/**
 * Seconds since 1970 from which on nothing that this key has signed holds any more, where what a collector signs holds for
 * `lifetime` seconds at most; infinite for the newest. Whoever still has a former key can name any time as that of signing,
 * and any end.
 */
export const heldUntil = ({ until }: KeyInForce, lifetime: number): number =>
  until === null ? Number.POSITIVE_INFINITY : until + HANDOVER_SECONDS + lifetime

/** The key of the chain with this thumbprint, unless another one had followed it by that time (seconds since 1970). */
export function keyInForceAt({ keys }: KeyChain, thumbprint: Uint8Array, time: number): KeyInForce | undefined {
  return keys.find(
    ({ key, until }) => equal(key.thumbprint, thumbprint) && (until === null || time <= until + HANDOVER_SECONDS),
  )
}
