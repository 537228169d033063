import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { errors, type ErrorCode } from '../../shared/codes/errors.ts'
import { KeepsealError } from '../../shared/errors.ts'

/** An error as HTTP clients get it: problem details (RFC 9457) whose `type` is one of our codes. */
export interface Problem {
  readonly type: ErrorCode
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly remedy: string
}

/** Where an area's usual status does not fit. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'auth.missing': 401,
  'auth.forbidden': 403,
  'auth.login-failed': 401,
  'auth.assertion-invalid': 401,
  'auth.csrf-missing': 403,
  'auth.invitation-invalid': 403,
  'auth.password-weak': 400,
  'oidc.provider-unreachable': 503,
  'oidc.client-refused': 503,
  'auth.passkey-unavailable': 409,
  'auth.challenge-expired': 410,
  'auth.code-wrong': 400,
  'request.invalid': 400,
  'request.not-found': 404,
  'request.conflict': 409,
  'request.rate-limited': 429,
  'challenge.too-soon': 429,
  'enrol.token-used': 409,
  'enrol.token-reserved': 409,
  'enrol.ek-already-enrolled': 409,
  'enrol.ek-conflict': 409,
  'enrol.key-in-use': 409,
  'enrol.challenge-unknown': 404,
  'enrol.challenge-expired': 410,
  'release.invalid': 400,
  'release.name-taken': 409,
  'release.content-unknown': 409,
  'release.state-refused': 409,
  'release.same-person': 403,
  'release.changed': 409,
  'release.countersignature-missing': 409,
  'release.critical-open': 409,
  'release.window-invalid': 400,
  'state.disk-full': 503,
  'log.malformed': 400,
  'log.signature-invalid': 400,
  'log.unknown-author': 403,
  'log.revoked-author': 403,
  'decision.role': 403,
  'decision.own-work': 403,
  'decision.no-such-subject': 404,
  'case.unknown': 404,
}

/** What an area's codes mean where they have no status of their own; of any other area it is our own fault. */
const AREAS: Readonly<Record<string, number>> = {
  enrol: 403,
  oidc: 403,
  // A document that is not as its format says, or a key that is not trusted.
  advisory: 400,
  sbom: 400,
  // A decision that does not hold conflicts with what was decided before.
  log: 409,
  decision: 409,
  person: 409,
  profile: 409,
  certificate: 409,
  case: 409,
}

/** HTTP status of a code. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? AREAS[code.slice(0, code.indexOf('.'))] ?? 500
}

/** What Fastify itself refuses (body too large, not JSON ...) is the client's mistake and keeps its status. */
function clientStatus(error: unknown): number | undefined {
  const status = error instanceof Error ? (error as Partial<FastifyError>).statusCode : undefined
  return status !== undefined && status >= 400 && status < 500 ? status : undefined
}

/** Faults of ours tell no more than their title: the rest (paths, causes) is in the log. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof KeepsealError)) {
    const status = clientStatus(error)
    if (status === undefined || !(error instanceof Error)) return problemOf(new KeepsealError('internal.failure'))
    const { title, remedy } = errors['request.invalid']
    return { type: 'request.invalid', title, status, detail: error.message, remedy }
  }
  const status = statusOf(error.code)
  const { title } = errors[error.code]
  return { type: error.code, title, status, detail: status < 500 ? error.message : title, remedy: error.remedy }
}

/** For `setErrorHandler`. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error)
  if (problem.status >= 500) request.log.error({ err: error }, problem.title)
  else request.log.info({ code: problem.type, detail: problem.detail }, 'request refused')
  void reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}
