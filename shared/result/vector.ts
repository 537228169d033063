import type { FindingCode } from '../codes/findings.ts'

/** Trustworthiness claims of AR4SI (draft-ietf-rats-ar4si section 2.3), by their numbers in CBOR. */
export const VECTOR_CLAIMS = [
  'instance-identity',
  'configuration',
  'executables',
  'file-system',
  'hardware',
  'runtime-opaque',
  'storage-opaque',
  'sourced-data',
] as const
export type VectorClaim = (typeof VECTOR_CLAIMS)[number]

/** A claim that nothing is said about is left out, which means the same as 0. */
export type TrustworthinessVector = Readonly<Partial<Record<VectorClaim, number>>>

/** The first value of each tier, which is also the tier's own number (AR4SI section 2.3.2). */
export const TIER = { none: 0, affirming: 2, warning: 32, contraindicated: 96 } as const
export type Tier = keyof typeof TIER
export const TIERS = ['none', 'affirming', 'warning', 'contraindicated'] as const satisfies readonly Tier[]

/** Values of single claims (AR4SI section 2.3.4), beside the plain ones of each tier. */
const UNRECOGNIZED_INSTANCE = 97
const APPROVED_AT_BOOT = 3
const CRYPTO_VALIDATION_FAILED = 99

/** What the collector concluded about a device. */
export interface Concluded {
  readonly identity: 'tpm-endorsed' | 'tpm-tofu' | 'software'
  readonly bootCoverage: 'measured' | 'partial' | 'none'
  readonly verdict: 'affirming' | 'warning' | 'contraindicated' | 'not-appraised'
  /** Code of the outcome or finding that the verdict stands on; null for `affirming`. */
  readonly verdictCode: string | null
  readonly isFresh: boolean
  /** Of the files that the kernel measured. */
  readonly files: 'accepted' | 'refused' | 'not-appraised' | 'not-reported'
  /** Codes of the findings that are not resolved. */
  readonly findings: readonly FindingCode[]
}

/** Which claim speaks of a finding. One area of codes, one claim. */
function claimOf(code: string): VectorClaim | undefined {
  const area = code.slice(0, code.indexOf('.'))
  switch (area) {
    case 'identity':
    case 'link':
      return 'instance-identity'
    case 'boot':
    case 'quote':
    case 'eventlog':
    case 'tpm':
      return 'executables'
    case 'ima':
      return 'file-system'
    case 'reporting':
    case 'liveness':
    case 'freshness':
    case 'content':
    case 'reference-values':
      return undefined
    default:
      return 'configuration'
  }
}

const worse = (one: number | undefined, other: number): number => Math.max(one ?? 0, other)

/**
 * The vector of a conclusion. Claims that the device makes of itself without a TPM never become `affirming` ones of the
 * executables, and what is not fresh affirms nothing: failures stay.
 */
export function vectorOf(concluded: Concluded): TrustworthinessVector {
  const { identity, bootCoverage, verdict, verdictCode, isFresh, files, findings } = concluded
  const vector: Partial<Record<VectorClaim, number>> = {}
  if (isFresh && verdict !== 'not-appraised') {
    vector['instance-identity'] = TIER.affirming
    vector.configuration = TIER.affirming
    if (identity === 'tpm-endorsed') vector.hardware = TIER.affirming
    if (bootCoverage === 'measured') {
      vector.executables = files === 'accepted' ? TIER.affirming : APPROVED_AT_BOOT
    }
    if (files === 'accepted') vector['file-system'] = TIER.affirming
  }
  for (const code of findings) {
    const claim = claimOf(code)
    if (claim !== undefined) vector[claim] = worse(vector[claim], valueOf(code, claim))
  }
  if (verdict === 'contraindicated') {
    const claim = verdictCode === null ? undefined : claimOf(verdictCode)
    const failed = claim ?? 'executables'
    vector[failed] = worse(vector[failed], valueOf(verdictCode ?? '', failed))
  }
  return vector
}

function valueOf(code: string, claim: VectorClaim): number {
  if (code === 'boot.quote-refused' || code.startsWith('quote.')) return CRYPTO_VALIDATION_FAILED
  if (claim === 'instance-identity') return UNRECOGNIZED_INSTANCE
  return claim === 'configuration' ? TIER.warning : TIER.contraindicated
}

/** AR4SI section 2.3.2. */
export function tierOf(value: number): Tier {
  const size = Math.abs(value)
  if (size <= 1) return 'none'
  // Negative values begin one further: -2 to -32 affirm, -33 to -96 warn.
  const from = value < 0 ? 1 : 0
  if (size >= TIER.contraindicated + from) return 'contraindicated'
  return size >= TIER.warning + from ? 'warning' : 'affirming'
}

const ORDER: readonly Tier[] = ['affirming', 'none', 'warning', 'contraindicated']

/** The status of a conclusion: never better than any claim of its vector, and nothing without fresh evidence. */
export function statusOf(concluded: Concluded, vector: TrustworthinessVector): Tier {
  const { verdict, isFresh } = concluded
  const own: Tier = verdict === 'contraindicated' ? verdict : verdict === 'not-appraised' || !isFresh ? 'none' : verdict
  const tiers = [own, ...Object.values(vector).map(tierOf)]
  return ORDER[Math.max(...tiers.map((tier) => ORDER.indexOf(tier)))] ?? 'none'
}
