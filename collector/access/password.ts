import { scrypt } from 'node:crypto'
import { fromBase64Url, toBase64Url } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { equalConstantTime } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'

/** Work that one password costs (RFC 7914): 128 * r * 2^logN bytes of memory, p times over. */
export interface PasswordCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** 32 MiB, about 0.3 seconds. What is stored says its own cost, and is made anew at a login when this has grown. */
export const PASSWORD_COST: PasswordCost = { logN: 15, r: 8, p: 3 }

const SIZE = 32
const SALT_SIZE = 16
const MIN_LENGTH = 12
const MAX_LENGTH = 256
const STORED = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/

/** Throws auth.password-weak. Long rather than strange: NIST SP 800-63B section 3.1.1.2. */
export function assertUsablePassword(password: string, login: string): void {
  const { length } = [...password]
  if (length < MIN_LENGTH) throw new KeepsealError('auth.password-weak', `at least ${MIN_LENGTH} characters`)
  if (password.length > MAX_LENGTH) throw new KeepsealError('auth.password-weak', `at most ${MAX_LENGTH} characters`)
  if (password.toLowerCase().includes(login)) throw new KeepsealError('auth.password-weak', 'it contains the login')
  if (new Set(password).size < 5) throw new KeepsealError('auth.password-weak', 'few different characters')
}

/** What is stored for a password. */
export async function hashPassword(password: string, random: RandomFunction, cost = PASSWORD_COST): Promise<string> {
  const salt = random(SALT_SIZE)
  const derived = await derive(password, salt, cost)
  return ['scrypt', cost.logN, cost.r, cost.p, toBase64Url(salt), toBase64Url(derived)].join('$')
}

/** Takes as long for no account as for a wrong password: `stored` undefined. */
export async function verifyPassword(password: string, stored: string | undefined, cost: PasswordCost) {
  const parts = stored === undefined ? null : STORED.exec(stored)
  if (parts === null) {
    await derive(password, new Uint8Array(SALT_SIZE), cost)
    return { isRight: false, isOutdated: false }
  }
  const [, logN, r, p, salt = '', expected = ''] = parts
  const own = { logN: Number(logN), r: Number(r), p: Number(p) }
  const isRight = equalConstantTime(await derive(password, fromBase64Url(salt), own), fromBase64Url(expected))
  return { isRight, isOutdated: own.logN !== cost.logN || own.r !== cost.r || own.p !== cost.p }
}

/** How many are computed at once, and wait for it: each takes memory, and whoever asks has proven nothing yet. */
const AT_ONCE = 2
const MAX_WAITING = 32
let running = 0
const waiting: (() => void)[] = []

/** Throws request.rate-limited when too many wait. */
async function derive(password: string, salt: Uint8Array, { logN, r, p }: PasswordCost): Promise<Uint8Array> {
  if (running >= AT_ONCE) {
    if (waiting.length >= MAX_WAITING) throw new KeepsealError('request.rate-limited', 'too many logins at once')
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running += 1
  try {
    const maxmem = 256 * 2 ** logN * r
    return await new Promise((resolve, reject) => {
      scrypt(password.normalize('NFKC'), salt, SIZE, { N: 2 ** logN, r, p, maxmem }, (error, key) =>
        error === null ? resolve(new Uint8Array(key)) : reject(error),
      )
    })
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}
