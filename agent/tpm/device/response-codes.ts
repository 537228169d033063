/** Names of TPM_RC (Part 2, 6.6.3) without their prefix; format one without what it is about. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x100, 'INITIALIZE'],
  [0x101, 'FAILURE'],
  [0x120, 'DISABLED'],
  [0x125, 'AUTH_MISSING'],
  [0x12f, 'AUTH_UNAVAILABLE'],
  [0x142, 'COMMAND_SIZE'],
  [0x143, 'COMMAND_CODE'],
  [0x144, 'AUTHSIZE'],
  [0x148, 'NV_LOCKED'],
  [0x149, 'NV_AUTHORIZATION'],
  [0x14a, 'NV_UNINITIALIZED'],
  [0x081, 'ASYMMETRIC'],
  [0x082, 'ATTRIBUTES'],
  [0x083, 'HASH'],
  [0x084, 'VALUE'],
  [0x085, 'HIERARCHY'],
  [0x087, 'KEY_SIZE'],
  [0x08a, 'TYPE'],
  [0x08b, 'HANDLE'],
  [0x08d, 'RANGE'],
  [0x08e, 'AUTH_FAIL'],
  [0x092, 'SCHEME'],
  [0x095, 'SIZE'],
  [0x096, 'SYMMETRIC'],
  [0x09a, 'INSUFFICIENT'],
  [0x09d, 'POLICY_FAIL'],
  [0x09f, 'INTEGRITY'],
  [0x0a0, 'TICKET'],
  [0x0a2, 'BAD_AUTH'],
  [0x0a3, 'EXPIRED'],
  [0x0a4, 'POLICY_CC'],
  [0x0a6, 'CURVE'],
  [0x902, 'OBJECT_MEMORY'],
  [0x903, 'SESSION_MEMORY'],
  [0x904, 'MEMORY'],
  [0x905, 'SESSION_HANDLES'],
  [0x906, 'OBJECT_HANDLES'],
  [0x908, 'YIELDED'],
  [0x909, 'CANCELED'],
  [0x90a, 'TESTING'],
  [0x910, 'REFERENCE_H0'],
  [0x918, 'REFERENCE_S0'],
  [0x920, 'NV_RATE'],
  [0x921, 'LOCKOUT'],
  [0x922, 'RETRY'],
  [0x923, 'NV_UNAVAILABLE'],
])

const RETRIED: ReadonlySet<number> = new Set([0x908, 0x90a, 0x922])

/** The TPM asks for the same command once more: TPM_RC_YIELDED, TPM_RC_TESTING, TPM_RC_RETRY. */
export const asksToRetry = (rc: number): boolean => RETRIED.has(rc & 0xffff)

/** For people: the standard's name, and what it is about (Part 2, 6.6.3). */
export function explain(rc: number): string {
  const code = rc & 0xffff
  const formatOne = (code & 0x080) !== 0
  const name = NAMES.get(formatOne ? code & 0x0bf : code & 0xfff) ?? 'unknown'
  if (!formatOne) return `TPM_RC_${name}`
  const number = (code >>> 8) & 0xf
  if ((code & 0x040) !== 0) return `TPM_RC_${name}, parameter ${number}`
  return (number & 0x8) === 0 ? `TPM_RC_${name}, handle ${number}` : `TPM_RC_${name}, session ${number & 0x7}`
}
