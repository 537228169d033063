import * as v from 'valibot'
import { fromHex, toHex, utf8 } from '../../shared/bytes/bytes.ts'
import type { CoseKey } from '../../shared/cose/key.ts'

/** How this device came to trust what it trusts now: which statements of its collector it has followed. */
export interface Trust {
  /** Of the newest statement; 0 before the first. None with this number or a lower one is followed any more. */
  readonly number: number
  /** Keys of the collector that were in force before, the most recent last: they have signed what is on disk. */
  readonly formerKeys: readonly CoseKey[]
  /** Where collector and broker were before; null where the way to them has proven itself. */
  readonly fallback: Fallback | null
}

export interface Fallback {
  readonly url: string
  readonly mqttUrl: string
  /** PEM. */
  readonly certificateAuthority: string
  /** Seconds since 1970, by the best that was known: when it was left. */
  readonly since: number
}

export const FIRST_TRUST: Trust = { number: 0, formerKeys: [], fallback: null }

export const MAX_FORMER_KEYS = 8

/** The former way is gone after this time, whether or not the new one has ever worked. */
export const FALLBACK_SECONDS = 30 * 86_400

const number = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const key = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/),
  v.transform((hex): CoseKey => ({ curve: 'Ed25519', x: fromHex(hex) })),
)

const StoredTrust = v.strictObject({
  version: v.literal(1),
  number,
  formerKeys: v.pipe(v.array(key), v.maxLength(MAX_FORMER_KEYS)),
  fallback: v.nullable(
    v.strictObject({ url: v.string(), mqttUrl: v.string(), certificateAuthority: v.string(), since: number }),
  ),
})

export function encodeTrust({ number: newest, formerKeys, fallback }: Trust): Uint8Array {
  const stored: v.InferInput<typeof StoredTrust> = {
    version: 1,
    number: newest,
    formerKeys: formerKeys.map(({ x }) => toHex(x)),
    fallback,
  }
  return utf8(`${JSON.stringify(stored, null, 2)}\n`)
}

/** Throws for anything but what `encodeTrust` writes. */
export function decodeTrust(text: string): Trust {
  const { version: _, ...trust } = v.parse(StoredTrust, JSON.parse(text))
  return trust
}
