import { toHex } from '../bytes/bytes.ts'
import { decodeCbor } from '../cbor/codec.ts'
import { field, type CborField } from '../cbor/fields.ts'
import { parseSign1 } from '../cose/sign1.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import type { Claims } from '../evidence/claims.ts'
import { decodeClaims } from '../evidence/decode-claims.ts'
import { postureDigestOf } from '../evidence/posture-digest.ts'
import { contentType } from '../evidence/roles.ts'
import { readTpmEvidence } from '../evidence/tpm-evidence.ts'
import { explainQuote, pcrLines } from './quote.ts'
import type { ReportLine } from './report.ts'

/** What an evidence says, field by field, and where reading it ended if it could not be read to the end. */
export interface EvidenceReport {
  /** SHA-256 of the message, in hexadecimal. */
  readonly hash: string
  readonly size: number
  readonly lines: readonly ReportLine[]
  /** Everything that is wrong with it. No key is known here: a signature can be shown, but not checked. */
  readonly problems: readonly { readonly code: string; readonly detail: string }[]
}

/** Explains a stored evidence. Never throws for its content: the more of it can be read, the more is told. */
export function explainEvidence(bytes: Uint8Array, hash: HashFunction): EvidenceReport {
  const lines: ReportLine[] = []
  const problems: { code: string; detail: string }[] = []
  const attempt = (action: () => void): void => {
    try {
      action()
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      problems.push({ code: error.code, detail: error.message })
    }
  }
  attempt(() => {
    const message = parseSign1(bytes)
    lines.push(
      { path: 'protected.alg', value: `${message.algorithm}`, meaning: 'COSE algorithm of the device signature' },
      { path: 'protected.content-type', value: message.contentType, meaning: 'what the message is' },
      { path: 'protected.kid', value: toHex(message.keyId), meaning: 'thumbprint of the device key' },
    )
    if (message.contentType !== contentType('evidence'))
      throw new OutcomeError('cose.content-type', message.contentType)
    const payload = field(decodeCbor(message.unverifiedPayload), 'claims.malformed', 'evidence')
    const [claimsField, tpmField] = payload.tuple('claims', 'tpm')
    attempt(() => lines.push(...claimLines(decodeClaims(claimsField.bytes({ min: 1 })), hash, problems)))
    attempt(() => lines.push(...tpmLines(tpmField)))
    lines.push({ path: 'signature', value: toHex(message.message.authenticator), meaning: 'Ed25519, not checked here' })
  })
  return { hash: toHex(hash('sha256', bytes)), size: bytes.length, lines, problems }
}

function claimLines(claims: Claims, hash: HashFunction, problems: { code: string; detail: string }[]): ReportLine[] {
  const line = (name: string, value: string, meaning: string): ReportLine => ({
    path: `claims.${name}`,
    value,
    meaning,
  })
  if (claims.posture !== null && toHex(postureDigestOf(claims.posture, hash)) !== toHex(claims.postureDigest)) {
    problems.push({ code: 'claims.malformed', detail: 'the posture map does not have the digest beside it' })
  }
  return [
    line('iat', new Date(claims.issuedAt * 1000).toISOString(), "device's own clock; proves nothing"),
    line('eat_nonce', toHex(claims.nonce), 'epoch that the evidence answers'),
    ...(claims.challenge === null ? [] : [line('eat_nonce', toHex(claims.challenge), 'challenge that it answers')]),
    line('ueid', toHex(claims.ueid), 'device'),
    ...(claims.hardwareModel === null ? [] : [line('hwmodel', claims.hardwareModel, 'product model')]),
    line('uptime', `${claims.uptime} s`, 'since the kernel started'),
    ...(claims.bootCount === null ? [] : [line('bootcount', `${claims.bootCount}`, 'boots')]),
    line('bootseed', toHex(claims.bootSeed), 'kernel boot id'),
    line('swname', claims.softwareName, 'reporting software'),
    line('swversion', claims.softwareVersion, 'its version'),
    line('session', toHex(claims.session), 'this run of the agent'),
    line('seq', `${claims.sequence}`, 'place in the session'),
    line('prev', claims.previous === null ? 'none' : toHex(claims.previous), 'message or receipt before it'),
    line('posture', toHex(claims.postureDigest), 'digest over the posture map'),
    ...[...(claims.posture ?? [])].map(([id, digest]) => line(`posture.${id}`, toHex(digest), 'digest of the section')),
    ...[...claims.state].map(([key, value]) => line(`state.${key}`, `${value}`, 'agent-asserted')),
  ]
}

function tpmLines(tpmField: CborField): ReportLine[] {
  const present = tpmField.nullable()
  if (present === null) return [{ path: 'tpm', value: 'none', meaning: 'no TPM took part' }]
  const { attest, signature, pcrs, logs } = readTpmEvidence(present)
  return [
    ...explainQuote(attest, signature),
    ...(pcrs === null ? [{ path: 'tpm.pcrs', value: 'as acknowledged', meaning: 'not sent again' }] : pcrLines(pcrs)),
    ...(logs.firmware === null
      ? []
      : [{ path: 'tpm.logs.firmware', value: toHex(logs.firmware), meaning: 'digest of the firmware event log' }]),
    ...(logs.ima === null
      ? []
      : [{ path: 'tpm.logs.ima', value: `from entry ${logs.ima.first}`, meaning: 'kernel measurement list' }]),
  ]
}
