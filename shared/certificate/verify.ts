import { equal, fromHex, toHex } from '../bytes/bytes.ts'
import { errors, type ErrorCode } from '../codes/errors.ts'
import { coseKeyThumbprint } from '../cose/key.ts'
import type { Certificate, CertificateState } from '../decisions/certificate.ts'
import { DecisionLog, type LogCrypto, type VerifiedEntry } from '../decisions/log.ts'
import { KeepsealError } from '../errors.ts'
import { decodeProfile } from '../maturity/profile-encoding.ts'
import { decodeCertificateFile, type CertificateFile } from './file.ts'
import { concluded, type Listed } from './conclusion.ts'
import { openStatus, type CertificateStatus } from './status.ts'
import { openStatusList, statusAt, type Inflate, type StatusType } from './status-list.ts'

export interface Problem {
  readonly code: ErrorCode
  readonly detail: string
}

/** What somebody who has nothing but the file knows. */
export interface Verdict {
  /**
   * `unknown`: nothing that is fresh enough says that it still holds. `invalid`: the file does not hold together.
   * `ended`: a status list says so, and not how. `expired`: by its own dates. Else the state that a status, which is still fresh, tells.
   */
  readonly verdict: CertificateState | 'ended' | 'expired' | 'unknown' | 'invalid'
  readonly problems: readonly Problem[]
  readonly certificate: Certificate | null
  readonly status: CertificateStatus | null
  /** What a newer list says of it; null without one, and for one that is older than the status. */
  readonly listed: StatusType | null
  /** Whether the document of the profile is in the file, and is the one that the certificate names. */
  readonly profile: 'matches' | 'missing' | null
  readonly issuedBy: { readonly name: string; readonly keyId: string } | null
  /** Names of products that may be claimed as certified now. */
  readonly claimsAllowedFor: readonly string[]
  /** Seconds since 1970; null without a status that holds. */
  readonly asOf: number | null
  readonly believeUntil: number | null
}

export interface VerifyOptions {
  /** Seconds since 1970. */
  readonly now: number
  /** A newer status than that of the file. */
  readonly status?: Uint8Array | undefined
  /** A list of the statuses of many certificates, and what decompresses it. */
  readonly statusList?: { readonly bytes: Uint8Array; readonly inflate: Inflate } | undefined
  /** Key id of the certifier, in hexadecimal: whoever began the log, or issued the certificate. */
  readonly certifier?: string | undefined
  /** Key id of the collector that signs statuses, in hexadecimal. */
  readonly collector?: string | undefined
}

/** Seconds that the clock of whoever verifies may be behind. */
const CLOCK_TOLERANCE = 300

/** Checks a certificate file without asking anybody. It throws nothing for what is wrong with the file. */
export function verifyCertificate(bytes: Uint8Array, crypto: LogCrypto, options: VerifyOptions): Verdict {
  try {
    return check(decodeCertificateFile(bytes), crypto, options)
  } catch (error) {
    if (!(error instanceof KeepsealError)) throw error
    const nothing = {
      certificate: null,
      status: null,
      listed: null,
      profile: null,
      issuedBy: null,
      claimsAllowedFor: [],
      asOf: null,
      believeUntil: null,
    }
    return { verdict: 'invalid', problems: [{ code: error.code, detail: error.message }], ...nothing }
  }
}

function check(file: CertificateFile, crypto: LogCrypto, options: VerifyOptions): Verdict {
  const log = new DecisionLog(crypto, { hasGaps: true })
  const entries = file.entries.map((entry, index) => {
    try {
      return log.append(entry)
    } catch (cause) {
      if (!(cause instanceof KeepsealError)) throw cause
      const detail = cause.message.slice(errors[cause.code].title.length)
      throw new KeepsealError(cause.code, `entry ${index} of the file${detail}`, { cause })
    }
  })
  const certificate = log.register.certificates.get(file.certificate)
  if (certificate === undefined)
    throw new KeepsealError('certificate.file-invalid', `no entry about ${file.certificate}`)
  const issued = entries.find(({ kind, subject }) => kind === 'certificate.issue' && subject === certificate.id)
  assertTrusted(entries, issued, options.certifier)
  const profile = profileIn(file, certificate, crypto)
  const status = statusIn(file, log, certificate, crypto, options)
  const told = { certificate, status, list: listIn(file, certificate, status, crypto, options), now: options.now }
  const { verdict, claimsAllowedFor, asOf, until } = concluded(told)
  return {
    verdict,
    problems: [],
    certificate,
    status,
    listed: told.list?.type ?? null,
    profile,
    issuedBy: issued === undefined ? null : { name: issued.author.name, keyId: issued.author.keyId },
    claimsAllowedFor,
    asOf,
    believeUntil: until,
  }
}

function assertTrusted(entries: readonly VerifiedEntry[], issued: VerifiedEntry | undefined, certifier?: string): void {
  if (certifier === undefined) return
  const isTheirs = entries[0]?.author.keyId === certifier || issued?.author.keyId === certifier
  if (!isTheirs) throw new KeepsealError('log.unknown-author', 'the certificate is of another certifier')
}

function profileIn(file: CertificateFile, certificate: Certificate, { hash }: LogCrypto): Verdict['profile'] {
  if (file.profile === null) return 'missing'
  const { id, version, digest } = certificate.profile
  if (toHex(hash('sha256', file.profile)) !== digest) {
    throw new KeepsealError('certificate.profile-mismatch', `the document in the file is not ${id} ${version}`)
  }
  const document = decodeProfile(file.profile)
  if (document.id !== id || document.version !== version) {
    throw new KeepsealError('certificate.profile-mismatch', `the document is ${document.id} ${document.version}`)
  }
  return 'matches'
}

/** The newest status there is, which has to be about this certificate and no older than what the file says. */
function statusIn(
  file: CertificateFile,
  log: DecisionLog,
  certificate: Certificate,
  crypto: LogCrypto,
  { status, collector, now }: VerifyOptions,
): CertificateStatus {
  const thumbprint = coseKeyThumbprint(file.collectorKey, crypto.hash)
  if (collector !== undefined && toHex(thumbprint) !== collector) {
    throw new KeepsealError('certificate.status-invalid', 'the key in the file is not that of the collector')
  }
  const key = { key: crypto.ed25519Key(file.collectorKey.x), thumbprint }
  const own = openStatus(file.status, key)
  const given = status === undefined ? own : openStatus(status, key)
  const newest = given.issuedAt >= own.issuedAt ? given : own
  const invalid = (what: string): never => {
    throw new KeepsealError('certificate.status-invalid', what)
  }
  for (const each of [own, given]) {
    if (each.certificate !== certificate.id) invalid(`it is about ${each.certificate}`)
    if (each.list.index !== certificate.place) invalid('it has another place in the list of statuses')
    if (each.body.log.id !== toHex(log.id ?? new Uint8Array())) invalid('it is of another log')
    if (each.body.profile.digest !== certificate.profile.digest) invalid('it names another profile')
  }
  if (newest.issuedAt > now + CLOCK_TOLERANCE) invalid('it is from the future: set the clock of this machine')
  const { head } = log.register
  const { index, hash } = newest.body.log
  if (head === null || index < head.index) invalid('it is older than the log in the file')
  if (head?.index === index && !equal(head.hash, fromHex(hash))) invalid('its log has another head')
  const isSameHead = file.head.index === own.body.log.index && toHex(file.head.hash) === own.body.log.hash
  if (!isSameHead) invalid('the head in the file is not the one of its status')
  return newest
}

/** What a list says, unless the status is newer. */
function listIn(
  file: CertificateFile,
  certificate: Certificate,
  status: CertificateStatus,
  crypto: LogCrypto,
  { statusList, now }: VerifyOptions,
): Listed | null {
  if (statusList === undefined) return null
  const invalid = (what: string): never => {
    throw new KeepsealError('certificate.status-invalid', `the status list: ${what}`)
  }
  const key = {
    key: crypto.ed25519Key(file.collectorKey.x),
    thumbprint: coseKeyThumbprint(file.collectorKey, crypto.hash),
  }
  const list = openStatusList(statusList.bytes, key, statusList.inflate)
  if (list.uri !== status.list.uri) invalid(`it is ${list.uri}, not ${status.list.uri}`)
  if (list.issuedAt > now + CLOCK_TOLERANCE) invalid('it is from the future: set the clock of this machine')
  const type = statusAt(list.bytes, certificate.place)
  if (list.issuedAt < status.issuedAt) return null
  // Of two that were signed in the same second, the one that says more counts.
  if (list.issuedAt === status.issuedAt && type === 'valid') return null
  if (type === undefined) return invalid(`it has no place ${certificate.place}`)
  return { type, issuedAt: list.issuedAt, expiresAt: list.expiresAt }
}
