import { toHex } from '../bytes/bytes.ts'
import type { RandomFunction } from '../crypto/crypto.ts'

/** What an id names, visible in logs and on the command line. */
export type IdPrefix =
  | 'prd'
  | 'pky'
  | 'rcm'
  | 'rmi'
  | 'crt'
  | 'tok'
  | 'enr'
  | 'api'
  | 'per'
  | 'ref'
  | 'fnd'
  | 'exc'
  | 'grp'
  | 'cfg'
  | 'cas'
  | 'chl'
  | 'rel'
  | 'evt'
  | 'acc'
  | 'doc'
  | 'req'
  | 'itm'

const MAX_TIME = 2 ** 48 - 1

/**
 * `{prefix}_` + UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, version, 74 random bits. Ids of one prefix
 * sort by the millisecond of their making.
 * @param now ms since 1970, UTC
 */
export function makeId(prefix: IdPrefix, now: number, random: RandomFunction): string {
  if (!Number.isInteger(now) || now < 0 || now > MAX_TIME) throw new RangeError('an id takes a time in milliseconds')
  const time = now.toString(16).padStart(12, '0')
  const entropy = random(10)
  const [high = 0, variant = 0] = [entropy[0], entropy[2]]
  entropy[0] = 0x70 | (high & 0x0f)
  entropy[2] = 0x80 | (variant & 0x3f)
  const tail = toHex(entropy)
  const groups = [time.slice(0, 8), time.slice(8), tail.slice(0, 4), tail.slice(4, 8), tail.slice(8)]
  return `${prefix}_${groups.join('-')}`
}
