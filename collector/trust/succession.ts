import { equal } from '../../shared/bytes/bytes.ts'
import { coseKeyThumbprint, type CoseKey } from '../../shared/cose/key.ts'
import { parseSign1 } from '../../shared/cose/sign1.ts'
import { ed25519Key, hash } from '../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import type { DeviceKey } from '../../shared/evidence/evidence.ts'
import type { KeyHistory } from '../../shared/evidence/key-history.ts'
import { decodeSuccession, encodeSuccession, openSuccessor, type Successor } from '../../shared/evidence/succession.ts'

/** A statement of the chain, as it was signed and as it reads. */
export interface Statement extends Successor {
  readonly bytes: Uint8Array
  /** Thumbprint of the key that signed it. */
  readonly by: Uint8Array
}

export interface Succession {
  /** What devices get. */
  readonly bytes: Uint8Array
  /** Oldest first, at least one. */
  readonly statements: readonly Statement[]
  /** Of the newest one. */
  readonly newest: Statement
}

export const collectorKeyOf = (x: Uint8Array): DeviceKey => ({
  key: ed25519Key(x),
  thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash),
})

/**
 * The chain of the keys directory. It has to lead to the key there, without a gap: a device would not follow another
 * one. The first statement's signer is not among the keys any more, and taken at its word. Throws `state.unreadable`.
 */
export function readSuccession(path: string, bytes: Uint8Array, collectorId: Uint8Array, key: CoseKey): Succession {
  try {
    const statements = read(bytes)
    const newest = statements.at(-1)
    if (newest === undefined || !equal(newest.key, key.x)) throw new Error('it does not lead to the signing key')
    if (statements.some((each) => !equal(each.collectorId, collectorId))) throw new Error('it is of another collector')
    return { bytes: Uint8Array.from(bytes), statements, newest }
  } catch (cause) {
    const reason = cause instanceof OutcomeError || cause instanceof Error ? cause.message : String(cause)
    throw new KeepsealError('state.unreadable', `${path}: ${reason}`, { cause })
  }
}

function read(bytes: Uint8Array): Statement[] {
  const statements: Statement[] = []
  for (const each of decodeSuccession(bytes)) {
    const { keyId } = parseSign1(each)
    const before = statements.at(-1)
    const signer = before === undefined ? undefined : collectorKeyOf(before.key)
    const successor = signer === undefined ? readFirst(each, keyId) : openSuccessor(each, signer)
    if (before !== undefined && successor.number <= before.number) throw new Error('its numbers do not grow')
    statements.push({ ...successor, bytes: each, by: keyId })
  }
  return statements
}

/** Without the key that signed it. */
function readFirst(bytes: Uint8Array, thumbprint: Uint8Array): Successor {
  return openSuccessor(bytes, { thumbprint, key: { scheme: 'ed25519', verify: () => true } })
}

/**
 * `first`: the key that is said to have signed the first statement. Where the chain was made by a version that did not keep
 * it, or begins with another one by now, it is not known.
 */
export function keyHistoryOf(succession: Succession | null, key: CoseKey, first: Uint8Array | null): KeyHistory {
  const [begin] = succession?.statements ?? []
  if (succession === null || begin === undefined) return { first: key.x, statements: [] }
  const isIt = first !== null && equal(collectorKeyOf(first).thumbprint, begin.by)
  return { first: isIt ? first : null, statements: succession.statements.map(({ bytes }) => bytes) }
}

/**
 * The chain with one more statement. One that named no new key is left out once another follows it: it leads nowhere
 * that the next one does not. Where all do not fit, the oldest are: `dropped`. `firstBy`: who has signed the first one.
 */
export function extended(
  before: Succession | null,
  statement: Uint8Array,
  by: Uint8Array,
): { readonly bytes: Uint8Array; readonly dropped: number; readonly firstBy: Uint8Array } {
  const known = before?.statements ?? []
  const needed = known.filter((each, index) => !equal(each.by, known[index + 1]?.by ?? by))
  for (let dropped = 0; ; dropped++) {
    const kept = needed.slice(dropped)
    try {
      const bytes = encodeSuccession([...kept.map((each) => each.bytes), statement])
      return { bytes, dropped, firstBy: kept[0]?.by ?? by }
    } catch (error) {
      if (!(error instanceof RangeError) || dropped >= needed.length) throw error
    }
  }
}
