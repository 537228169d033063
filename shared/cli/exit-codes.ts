import type { ErrorCode } from '../codes/errors.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'

/** What a program's exit code tells a script. The same in all programs, and kept. */
export const exitCodes = {
  good: 0,
  /** A finding, something invalid, or a state in which there is no good answer. */
  finding: 1,
  /** The command line, a file named in it, or the configuration cannot be used. */
  usage: 2,
  /** The collector, the broker or the TPM does not answer. */
  unreachable: 3,
  /** The other side answered, and refused. */
  refused: 4,
  /** A fault of this software. */
  internal: 70,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** In the words of help and manual pages. */
export const exitCodeMeanings: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [exitCodes.good, 'good'],
  [exitCodes.finding, 'finding or invalid'],
  [exitCodes.usage, 'usage'],
  [exitCodes.unreachable, 'unreachable'],
  [exitCodes.refused, 'refused'],
  [exitCodes.internal, 'internal fault'],
]

type AreaOf<Code extends string> = Code extends `${infer Area}.${string}` ? Area : never

/** One line per area, so that a new area cannot be added without deciding this. */
const byArea: Readonly<Record<AreaOf<ErrorCode>, ExitCode>> = {
  config: exitCodes.usage,
  state: exitCodes.finding,
  agent: exitCodes.finding,
  tpm: exitCodes.unreachable,
  collector: exitCodes.refused,
  enrol: exitCodes.refused,
  auth: exitCodes.refused,
  oidc: exitCodes.refused,
  request: exitCodes.refused,
  challenge: exitCodes.refused,
  log: exitCodes.finding,
  decision: exitCodes.refused,
  person: exitCodes.refused,
  profile: exitCodes.refused,
  document: exitCodes.refused,
  certificate: exitCodes.refused,
  case: exitCodes.refused,
  nonconformity: exitCodes.refused,
  catalogue: exitCodes.usage,
  release: exitCodes.refused,
  report: exitCodes.usage,
  mirror: exitCodes.finding,
  advisory: exitCodes.refused,
  sbom: exitCodes.refused,
  usage: exitCodes.usage,
  file: exitCodes.usage,
  internal: exitCodes.internal,
}

/** Codes that mean something else than the rest of their area. */
const exceptions: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  'tpm.command-failed': exitCodes.refused,
  'tpm.hierarchy-locked': exitCodes.refused,
  'collector.unreachable': exitCodes.unreachable,
  'state.unreachable': exitCodes.unreachable,
  'certificate.file-invalid': exitCodes.finding,
  'certificate.status-invalid': exitCodes.finding,
  'request.invalid': exitCodes.finding,
  'request.not-found': exitCodes.finding,
}

/** The exit code of an error of that code. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  const area = code.slice(0, code.indexOf('.')) as AreaOf<typeof code>
  return exceptions[code] ?? byArea[area]
}

/** The exit code of anything that was thrown. */
export function exitCodeOfError(error: unknown): ExitCode {
  if (error instanceof KeepsealError) return exitCodeOf(error.code)
  // The bytes that were looked at are at fault: that is an answer, not a failure of the program.
  return error instanceof OutcomeError ? exitCodes.finding : exitCodes.internal
}
