import type { Observation } from '../../../shared/posture/observation.ts'
import type { PasswordKind } from '../../../shared/posture/sections/access/accounts.ts'

/** One line of passwd(5). Texts are byte strings. */
export interface PasswdEntry {
  readonly name: string
  readonly superuser: boolean
  readonly home: string
  readonly shell: string
  readonly uid: string
  readonly gid: string
  /** The second field: `x` where the password is in shadow. */
  readonly password: string
}

export interface PasswdFile {
  readonly entries: readonly PasswdEntry[]
  readonly malformed: number
}

/**
 * Reads passwd(5) as the C libraries do, where they differ as the one that makes more of a line: they take signs, leading
 * zeros and blanks; what is too large for a number wraps around in musl, where an empty one is 0 and `#` is no comment.
 */
export function parsePasswd(text: string): PasswdFile {
  const entries: PasswdEntry[] = []
  let malformed = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const [name = '', password, uid, gid, , home = '', shell = ''] = line.trimStart().split(':')
    // A line of `+` or `-` takes accounts from elsewhere, nsswitch.conf(5) `compat`, and needs no numbers.
    const isCompat = /^[+-]/.test(name)
    if (password === undefined && isCompat) {
      entries.push({ name, superuser: false, home, shell, uid: '', gid: '', password: '*' })
    } else if (password === undefined || uid === undefined || gid === undefined || !/^\s*[+-]?\d*$/.test(uid)) {
      malformed += 1
    } else {
      const superuser = uid.trim() === '' ? !isCompat : isZero(uid)
      entries.push({ name, superuser, home, shell: shell === '' ? '/bin/sh' : shell, uid, gid, password })
    }
  }
  return { entries, malformed }
}

function isZero(number: string): boolean {
  const digits = number.trim().replace(/^[+-]/, '')
  // Longer than any number that is written on purpose: whether it wraps around to 0 is not worth to be worked out.
  if (digits.length > 64) return true
  return BigInt(digits === '' ? 0 : digits) % 0x1_0000_0000n === 0n
}

/** What stands for the password of each name in shadow(5); of several lines the first counts. */
export function parseShadow(text: string): ReadonlyMap<string, string> {
  const passwords = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [name = '', password] = line.split(':', 2)
    if (name !== '' && password !== undefined && !passwords.has(name)) passwords.set(name, password)
  }
  return passwords
}

/** crypt(5), by the prefix of the hash. */
const PREFIXES: readonly (readonly [prefix: RegExp, kind: PasswordKind])[] = [
  [/^\$y\$/, 'yescrypt'],
  [/^\$gy\$/, 'gost-yescrypt'],
  [/^\$7\$/, 'scrypt'],
  [/^\$2[abxy]?\$/, 'bcrypt'],
  [/^\$6\$/, 'sha512crypt'],
  [/^\$5\$/, 'sha256crypt'],
  [/^\$sm3\$/, 'sm3crypt'],
  [/^\$sha1\$/, 'sha1crypt'],
  [/^\$md5[$,]/, 'sunmd5'],
  [/^\$1\$/, 'md5crypt'],
  [/^\$3\$/, 'nt'],
  [/^\$/, 'unknown'],
  [/^_[./0-9A-Za-z]{19}$/, 'bsdicrypt'],
  // Eleven characters for each eight of the password.
  [/^[./0-9A-Za-z]{2}(?:[./0-9A-Za-z]{11})+$/, 'descrypt'],
]

/** How the password is kept. */
export function passwordKind(field: string): PasswordKind {
  if (field === '') return 'empty'
  if (/^[!*]/.test(field)) return 'locked'
  return PREFIXES.find(([prefix]) => prefix.test(field))?.[1] ?? 'unusable'
}

/** The password of an account, which is in passwd itself unless that points to shadow. */
export function passwordOf(
  entry: PasswdEntry,
  shadow: Observation<ReadonlyMap<string, string>>,
): Observation<PasswordKind> {
  if (entry.password !== 'x' && !entry.password.startsWith('##')) return { value: passwordKind(entry.password) }
  if ('missing' in shadow) return shadow
  const field = shadow.value.get(entry.name)
  return { value: field === undefined ? 'no-entry' : passwordKind(field) }
}
