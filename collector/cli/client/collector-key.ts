import * as v from 'valibot'
import { fromBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { decodeKeyHistory, type KeyChain, type KeyHistory } from '../../../shared/evidence/key-history.ts'
import { collectorKeyOf } from '../../trust/succession.ts'
import type { ApiClient } from './api.ts'

/** An Ed25519 key as JWK (RFC 8037). */
export const Ed25519Jwk = v.object({
  kty: v.literal('OKP'),
  crv: v.literal('Ed25519'),
  x: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
})

const Collector = v.object({ key: Ed25519Jwk })

/** The key id of a key, as people compare it. */
export const keyIdOf = (x: Uint8Array): string => toHex(collectorKeyOf(x).thumbprint)

/** The key that the collector says to be its own now, and what is said to have led there. Nothing of it is checked. */
export async function toldKeys(
  client: ApiClient,
): Promise<{ readonly x: Uint8Array; readonly bytes: Uint8Array | null; readonly history: KeyHistory }> {
  const { key } = await client.get('/collector', Collector)
  const x = fromBase64Url(key.x)
  const bytes = await historyOf(client)
  return { x, bytes, history: bytes === null ? { first: x, statements: [] } : readKeyHistory(bytes) }
}

/** null: of a version that tells none. */
async function historyOf(client: ApiClient): Promise<Uint8Array | null> {
  try {
    return await client.getBytes('/collector/key-history')
  } catch (error) {
    if (error instanceof KeepsealError && error.code === 'request.not-found') return null
    throw error
  }
}

function readKeyHistory(bytes: Uint8Array): KeyHistory {
  try {
    return decodeKeyHistory(bytes)
  } catch (cause) {
    if (!(cause instanceof OutcomeError)) throw cause
    throw new KeepsealError('collector.refused', `what it says of its keys: ${cause.message}`, { cause })
  }
}

/** The keys of before, for programs. */
export const formerKeys = ({ keys }: KeyChain) =>
  keys.flatMap(({ x, until }) =>
    until === null ? [] : [{ keyId: keyIdOf(x), until: new Date(until * 1000).toISOString() }],
  )
