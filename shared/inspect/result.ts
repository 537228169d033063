import { toHex } from '../bytes/bytes.ts'
import { decodeCbor } from '../cbor/codec.ts'
import { field, type CborField } from '../cbor/fields.ts'
import { parseSign1, verifySign1 } from '../cose/sign1.ts'
import { OutcomeError } from '../errors.ts'
import { heldUntil, keyInForceAt, type KeyChain, type KeyInForce } from '../evidence/key-history.ts'
import { EAR_CONTENT_TYPE, EAR_LABEL as LABEL, MAX_RESULT_LIFETIME_SECONDS } from '../result/ear.ts'
import { TIER, tierOf, VECTOR_CLAIMS } from '../result/vector.ts'
import type { ReportLine } from './report.ts'

export interface ResultReport {
  readonly lines: readonly ReportLine[]
  /** Whether the given key has signed it, or one that followed it and was in force then; null where none was given. */
  readonly signature: 'valid' | 'followed' | 'invalid' | null
  readonly expired: boolean
  readonly problems: readonly { readonly code: string; readonly detail: string }[]
}

const tierName = (value: number): string => Object.entries(TIER).find(([, first]) => first === value)?.[0] ?? 'unknown'
const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString()

/** Explains an attestation result in CWT. `now`: seconds since 1970. Never throws for what the file holds. */
export function explainResult(bytes: Uint8Array, keys: KeyChain | null, now: number): ResultReport {
  try {
    const message = parseSign1(bytes)
    const claims = field(decodeCbor(message.unverifiedPayload), 'claims.malformed', 'result')
    const issuedAt = claims.at(LABEL.iat, 'iat').uint()
    const signer = keys === null ? undefined : keyInForceAt(keys, message.keyId, issuedAt)
    const signature = keys === null ? null : signatureOf(message, signer)
    const said = claims.at(LABEL.exp, 'exp').uint()
    const expiresAt = signer === undefined ? said : Math.min(said, heldUntil(signer, MAX_RESULT_LIFETIME_SECONDS))
    const lines = [...resultLines(claims), ...appraisalLines(claims)]
    const named = {
      path: 'key',
      value: toHex(message.keyId),
      meaning: 'thumbprint of the key that is said to have signed',
    }
    return { lines: [...lines, named], signature, expired: now >= expiresAt, problems: [] }
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    return { lines: [], signature: null, expired: false, problems: [{ code: error.code, detail: error.message }] }
  }
}

function signatureOf(
  message: ReturnType<typeof parseSign1>,
  inForce: KeyInForce | undefined,
): 'valid' | 'followed' | 'invalid' {
  if (inForce === undefined) return 'invalid'
  const { key, thumbprint } = inForce.key
  try {
    verifySign1(message, { key, keyId: thumbprint, externalAad: new Uint8Array(0), contentType: EAR_CONTENT_TYPE })
    return inForce.number === null ? 'valid' : 'followed'
  } catch (error) {
    if (error instanceof OutcomeError) return 'invalid'
    throw error
  }
}

function resultLines(claims: CborField): ReportLine[] {
  const [developer, build] = [0, 1].map((label) => claims.at(LABEL.verifier, 'verifier').at(label).text({ max: 256 }))
  const nonce = claims.maybe(LABEL.nonce, 'eat_nonce')?.bytes({ max: 64 })
  return [
    {
      path: 'profile',
      value: claims.at(LABEL.profile, 'eat_profile').text({ max: 128 }),
      meaning: 'format of the result',
    },
    { path: 'verifier', value: `${developer}, ${build}`, meaning: 'who concluded it' },
    { path: 'issued', value: timeOf(claims.at(LABEL.iat, 'iat').uint()), meaning: 'when' },
    { path: 'expires', value: timeOf(claims.at(LABEL.exp, 'exp').uint()), meaning: 'afterwards it says nothing' },
    ...(nonce === undefined ? [] : [{ path: 'nonce', value: toHex(nonce), meaning: 'of the evidence it stands on' }]),
  ]
}

function appraisalLines(claims: CborField): ReportLine[] {
  return claims
    .at(LABEL.submods, 'submods')
    .entries({ min: 1, max: 16 })
    .flatMap(([name, appraisal]) => {
      const status = appraisal.at(LABEL.status, 'status').integer()
      const vector = appraisal.maybe(LABEL.vector, 'vector')?.entries({ max: VECTOR_CLAIMS.length }) ?? []
      // The older names stand beside each other, the current ones in maps of their own.
      const ours = appraisal.maybe(LABEL.verifierClaims, 'verifier claims') ?? appraisal
      const device = (appraisal.maybe(LABEL.attesterClaims, 'attester claims') ?? appraisal).maybe(LABEL.ueid, 'ueid')
      const reasons = ours.maybe(LABEL.reasons, 'reasons')?.array({ max: 256 }) ?? []
      return [
        { path: 'device', value: device === undefined ? '' : toHex(device.bytes({ length: 17 })), meaning: 'UEID' },
        { path: `${name}.status`, value: tierName(status), meaning: 'never better than any claim below' },
        ...vector.map(([label, value]) => ({
          path: `${name}.${VECTOR_CLAIMS[Number(label)] ?? label}`,
          value: `${value.integer()}`,
          meaning: tierOf(value.integer()),
        })),
        ...ownLines(name, ours),
        ...reasons.map((reason) => ({ path: `${name}.reason`, value: reason.text({ max: 64 }), meaning: 'see codes' })),
      ]
    })
}

/** Absent in results of earlier versions. */
function ownLines(name: string | number, ours: CborField): ReportLine[] {
  const shown = [
    ['coverage', LABEL.coverage, 'whether a certificate covers it, or why none does'],
    ['certificate', LABEL.certificate, 'that covers it, or nearly does'],
  ] as const
  return shown.flatMap(([path, label, meaning]) => {
    const value = ours.maybe(label, path)?.text({ max: 128 })
    return value === undefined ? [] : [{ path: `${name}.${path}`, value, meaning }]
  })
}
