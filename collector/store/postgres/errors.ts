import type { ErrorCode } from '../../../shared/codes/errors.ts'
import { KeepsealError } from '../../../shared/errors.ts'

/** SQLSTATE values, or their first two digits (PostgreSQL, appendix A), that mean something to an operator or a caller. */
const codes: ReadonlyMap<string, ErrorCode> = new Map([
  ['08', 'state.unreachable'], // connection exception
  ['28', 'state.unreachable'], // invalid authorization
  ['3D000', 'state.unreachable'], // no such database
  ['53300', 'state.unreachable'], // too many connections
  ['57P', 'state.unreachable'], // shutting down, starting up, crashed
  ['53100', 'state.disk-full'],
  ['25006', 'state.unwritable'], // a standby
  ['42501', 'state.unwritable'], // insufficient privilege
  ['XX001', 'state.unreadable'], // data corrupted
  ['XX002', 'state.unreadable'], // index corrupted
  ['23505', 'request.conflict'], // unique violation
  ['25P03', 'state.busy'], // idle in transaction for too long
  ['40', 'state.busy'], // serialization failure, deadlock
  ['55P03', 'state.busy'], // lock not available in time
  ['57014', 'state.busy'], // statement timeout
])

/** What the database or the connection to it threw, in this product's own codes. */
export function translatePostgresError(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof KeepsealError) return cause
  const state = sqlState(cause)
  // Whatever the client throws without a SQLSTATE is about its connection: sockets, time limits, a server that is gone.
  const isOfConnection = !(cause instanceof TypeError) && !(cause instanceof RangeError)
  if (state === undefined) {
    return isOfConnection ? new KeepsealError('state.unreachable', cause.message, { cause }) : cause
  }
  const code = codes.get(state) ?? codes.get(state.slice(0, 3)) ?? codes.get(state.slice(0, 2))
  if (code === undefined) return cause
  if (code === 'request.conflict') return new KeepsealError(code, 'it exists already', { cause })
  return new KeepsealError(code, code === 'state.disk-full' ? undefined : cause.message, { cause })
}

/**
 * Whether a transaction failed only because another one ran beside it. Of two that would wait for each other for ever,
 * and of two that insert the same, one is undone: it finds the other's work when it is done again.
 */
export function isCollision(error: unknown): boolean {
  if (!(error instanceof KeepsealError)) return false
  const state = sqlState(error.cause)
  return state === '40001' || state === '40P01' || state === '23505'
}

function sqlState(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  // Errors of the system have codes too: EPIPE has as many letters as a SQLSTATE.
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined
}
