import { statSync } from 'node:fs'
import * as v from 'valibot'
import { equal, fromBase64Url, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import {
  decodeKeyHistory,
  encodeKeyHistory,
  keysAfter,
  type KeyChain,
  type KeyHistory,
} from '../../../shared/evidence/key-history.ts'
import { collectorKeyOf } from '../../trust/succession.ts'
import { Ed25519Jwk, keyIdOf } from './collector-key.ts'
import { readInput, writeOutput } from './inspect/files.ts'

/**
 * The key of a collector that somebody trusts, as JWK. How it went on from there is a member of our own, which other
 * programs pass over (RFC 7517 section 4).
 */
const KeyFile = v.object({
  ...Ed25519Jwk.entries,
  keepseal_key_history: v.optional(v.pipe(v.string(), v.regex(/^[\w-]+$/))),
})

/** The key of the file, and those that followed it as far as the file knows. Error: file.unreadable. */
export function readKeyFile(name: string): KeyChain {
  try {
    const { x, keepseal_key_history: history } = v.parse(KeyFile, JSON.parse(Buffer.from(readInput(name)).toString()))
    const statements = history === undefined ? [] : decodeKeyHistory(fromBase64Url(history)).statements
    return keysAfter(fromBase64Url(x), statements, collectorKeyOf)
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    const why = cause instanceof OutcomeError ? `: ${cause.message}` : ''
    throw new KeepsealError('file.unreadable', `${name} holds no Ed25519 key as JWK${why}`, { cause })
  }
}

/**
 * Writes the key that the collector has told. A file that is there already keeps its key, and gets to know what has
 * followed it, which is said in the answer; null where nothing has. Errors: collector.untrusted where the key of the file
 * does not lead to the one that was told, file.unreadable.
 */
export function keepKeyFile(
  path: string,
  { x: told, history }: { readonly x: Uint8Array; readonly history: KeyHistory },
): string | null {
  const isThere = statSync(path, { throwIfNoEntry: false })?.isFile() === true
  const before = isThere ? readKeyFile(path) : keysAfter(told, [], collectorKeyOf)
  const { x: first } = before.first
  const after = keysAfter(first, [...before.statements, ...history.statements], collectorKeyOf)
  if (!equal(after.newest.x, told)) {
    throw new KeepsealError('collector.untrusted', `${path} has key ${keyIdOf(after.newest.x)}, not ${keyIdOf(told)}`, {
      remedy:
        'Check the address. Where the key was changed without a statement, compare the new one by another way, and move ' +
        'the file away.',
    })
  }
  const member =
    after.statements.length === 0
      ? {}
      : { keepseal_key_history: toBase64Url(encodeKeyHistory({ first, statements: after.statements })) }
  const key = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(first), ...member }
  writeOutput(path, Buffer.from(`${JSON.stringify(key)}\n`))
  if (after.keys.length === before.keys.length) return null
  return `The collector has another key now. ${path} keeps its own, and says how it led to ${keyIdOf(told)}.`
}
