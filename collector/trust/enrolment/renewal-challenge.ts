import { concat } from '../../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { equalConstantTime, hmac } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { ueidBytes, type Ueid } from '../../../shared/evidence/identifiers.ts'

/** How long a device has to answer: a slow TPM needs a minute to make its key. */
const VALID_MS = 600_000

const RANDOM_SIZE = 16
const TIME_SIZE = 8
const MAC_SIZE = 32

function macOf(key: Uint8Array, ueid: Ueid, head: Uint8Array): Uint8Array {
  return hmac('sha256', key, encodeCbor(['keepseal-renewal-challenge-v1', ueidBytes(ueid), head]))
}

/**
 * A challenge that carries its own proof, for this device and ten minutes: 16 random bytes, the time in milliseconds,
 * and an HMAC over both. So any replica can check what another one has made, and strangers who ask fill no table.
 */
export function makeChallenge(key: Uint8Array, ueid: Ueid, now: number, random: RandomFunction): Uint8Array {
  const time = Buffer.alloc(TIME_SIZE)
  time.writeBigUInt64BE(BigInt(now))
  const head = concat(random(RANDOM_SIZE), time)
  return concat(head, macOf(key, ueid, head))
}

/** Throws `enrol.challenge-unknown` for one that we did not make for this device, `enrol.challenge-expired`. */
export function readChallenge(key: Uint8Array, ueid: Ueid, challenge: Uint8Array, now: number): void {
  const head = challenge.subarray(0, RANDOM_SIZE + TIME_SIZE)
  const isOurs =
    challenge.length === RANDOM_SIZE + TIME_SIZE + MAC_SIZE &&
    equalConstantTime(challenge.subarray(head.length), macOf(key, ueid, head))
  if (!isOurs) throw new KeepsealError('enrol.challenge-unknown')
  const age = now - Number(Buffer.from(head.subarray(RANDOM_SIZE)).readBigUInt64BE())
  if (age < 0 || age >= VALID_MS) throw new KeepsealError('enrol.challenge-expired')
}
