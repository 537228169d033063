import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import * as v from 'valibot'
import { fromHex, toHex } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { ATTESTATION_KEY_SEED_SIZE } from '../../shared/tpm/templates.ts'
import { decodeChecked, encodeChecked } from '../state/checked-json.ts'
import { DEVICE_KEY_SEED_SIZE } from '../state/device-key.ts'
import { readPrivateFile, writeDurably } from '../state/files.ts'

/** What the device makes for an enrolment before it asks for one. */
export interface EnrolmentKeys {
  readonly deviceKeySeed: Uint8Array
  /** PKCS #8 in PEM, P-256. */
  readonly tlsKey: string
  /** Not secret. */
  readonly attestationKeySeed: Uint8Array
}

const hex = (length: number) => v.pipe(v.string(), v.regex(/^[0-9a-f]*$/), v.length(length * 2), v.transform(fromHex))

const StoredKeys = v.strictObject({
  version: v.literal(1),
  deviceKeySeed: hex(DEVICE_KEY_SEED_SIZE),
  tlsKey: v.pipe(v.string(), v.maxLength(4096)),
  attestationKeySeed: hex(ATTESTATION_KEY_SEED_SIZE),
})

function makeKeys(random: RandomFunction): EnrolmentKeys {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    deviceKeySeed: random(DEVICE_KEY_SEED_SIZE),
    tlsKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    attestationKeySeed: random(ATTESTATION_KEY_SEED_SIZE),
  }
}

/**
 * The keys of the enrolment that has begun, or new ones, which are on disk before anybody hears of them. The token is
 * reserved for the device key: a device that came back with another one, after a crash or a lost answer, would have
 * to wait until the reservation ends.
 */
export async function enrolmentKeys(path: string, random: RandomFunction): Promise<EnrolmentKeys> {
  const content = await readPrivateFile(path, 16 * 1024)
  const stored = content === undefined ? undefined : usable(content)
  if (stored !== undefined) return stored
  const keys = makeKeys(random)
  const { deviceKeySeed, tlsKey, attestationKeySeed } = keys
  const record = {
    version: 1,
    deviceKeySeed: toHex(deviceKeySeed),
    tlsKey,
    attestationKeySeed: toHex(attestationKeySeed),
  }
  await writeDurably(path, encodeChecked(record))
  return keys
}

/** Undefined for a damaged record: nothing depends on these keys yet. */
function usable(content: Uint8Array): EnrolmentKeys | undefined {
  const keys = decodeChecked(StoredKeys, content)
  if (keys === undefined) return undefined
  try {
    createPrivateKey(keys.tlsKey)
    return keys
  } catch (cause) {
    throw new KeepsealError('state.unreadable', 'the keys of the enrolment that has begun', { cause })
  }
}
