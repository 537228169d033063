import { equal, toHex } from '../../shared/bytes/bytes.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../../shared/cose/sign1.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { keyInForceAt, type KeyChain } from '../../shared/evidence/key-history.ts'
import { contentType, messageAad } from '../../shared/evidence/roles.ts'
import { decodePlain, encodePlain } from '../../shared/maturity/plain-cbor.ts'
import type { Report } from './model.ts'
import { sha256 } from './sources.ts'

const AAD = messageAad('report', null)
export const REPORT_TYPE = contentType('report')
/** As much as a client takes. */
const LIMITS = { maxBytes: 32 * 1024 * 1024, maxDepth: 16, maxItems: 1_000_000 }

/** A report in its one encoding: deterministic CBOR (RFC 8949 section 4.2.1), whose SHA-256 is the report's digest. */
export const encodeReport = (report: Report): Uint8Array => encodePlain(report)
export const digestOfReport = (report: Report): string => toHex(sha256(encodeReport(report)))

/** A COSE_Sign1 over it by the key of the collector. */
export const signReport = (report: Report, signer: Signer): Promise<Uint8Array> =>
  signSign1({ payload: encodeReport(report), contentType: REPORT_TYPE, externalAad: AAD, signer })

export interface OpenedReport {
  readonly report: Record<string, unknown>
  readonly digest: string
}

/**
 * Throws OutcomeError `cbor.*` or `cose.*` unless one of these keys has signed exactly this, and was in force at the time
 * that it names.
 */
export function openReport(bytes: Uint8Array, keys: KeyChain): OpenedReport {
  const message = parseSign1(bytes, LIMITS)
  const signer = keys.keys.find(({ key }) => equal(key.thumbprint, message.keyId))
  if (signer === undefined) throw new OutcomeError('cose.key-id-mismatch', toHex(message.keyId))
  const { key, thumbprint } = signer.key
  const { payload } = verifySign1(message, { key, keyId: thumbprint, externalAad: AAD, contentType: REPORT_TYPE })
  const report = decodePlain(payload, LIMITS) as Record<string, unknown>
  const madeAt = Math.floor(Date.parse(String(report['madeAt'])) / 1000)
  if (!Number.isFinite(madeAt) || keyInForceAt(keys, thumbprint, madeAt) === undefined) {
    throw new OutcomeError('cose.key-id-mismatch', `${toHex(thumbprint)} was not in force when this was made`)
  }
  return { report, digest: toHex(sha256(payload)) }
}
