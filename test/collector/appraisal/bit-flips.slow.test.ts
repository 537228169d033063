import { beforeAll, describe, expect, it } from 'vitest'
import { appraise } from '../../../collector/appraisal/appraise.ts'
import { outcomes } from '../../../shared/codes/outcomes.ts'
import { decodeEvidence, signEvidence } from '../../../shared/evidence/evidence.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { appraisalInput, appraisalOf, approvalOf, type Knowledge } from '../../support/appraising.ts'
import { SoftwareDevice } from '../../support/software-device.ts'

const device = new SoftwareDevice()
let bytes: Uint8Array
let steady: Uint8Array
let known: Knowledge

beforeAll(async () => {
  const made = await device.report()
  bytes = made.bytes
  const { postureDigest, pcrDigest } = made
  const approved = approvalOf(device)
  known = { approved, posture: approved.posture, ...(approved.pcrs === null ? {} : { pcrs: approved.pcrs }) }
  steady = (await device.report({}, { acknowledged: { postureDigest, pcrDigest } })).bytes
})

function* flipped(original: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < original.length * 8; bit++) {
    const copy = original.slice()
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield copy
  }
}

/** What the collector concludes of these bytes: an outcome code, or the verdict. */
function conclusion(message: Uint8Array): string {
  try {
    const decision = appraise(appraisalInput(device, message, known))
    if (decision.kind === 'refused') return decision.code
    return decision.kind === 'duplicate' ? 'duplicate' : decision.verdict
  } catch (error) {
    if (error instanceof OutcomeError) return error.code
    throw error
  }
}

const isRefusal = (text: string): boolean => text in outcomes

describe('every single bit', () => {
  it('is as it should be, to begin with', () => {
    expect(appraisalOf(device, bytes, known).verdict).toBe('affirming')
    expect(appraisalOf(device, steady, known).verdict).toBe('affirming')
  })

  it('of the message matters: flipped, it is refused', () => {
    for (const original of [bytes, steady]) {
      const results = [...flipped(original)].map(conclusion)
      expect(results).toHaveLength(original.length * 8)
      expect(results.filter((result) => !isRefusal(result))).toEqual([])
    }
  }, 60_000)

  describe.each(['with its values', 'without its values'] as const)('of a quote %s', (kind) => {
    const evidence = () => decodeEvidence(kind === 'with its values' ? bytes : steady)

    it.each(['attest', 'signature'] as const)('matters in its %s: the device fails', async (part) => {
      const { tpm, claimsBytes, ueid } = evidence()
      if (tpm === null) throw new Error('no quote')
      for (const changed of flipped(tpm[part])) {
        const message = await signEvidence({ ueid, claimsBytes, tpm: { ...tpm, [part]: changed } }, device.signer)
        expect(conclusion(message)).toBe('contraindicated')
      }
    })

    it('matters in the claims under it: signed again, the quote is bound to others', async () => {
      const { tpm, claimsBytes, ueid } = evidence()
      const counts = new Map<string, number>()
      for (const changed of flipped(claimsBytes)) {
        const result = conclusion(await signEvidence({ ueid, claimsBytes: changed, tpm }, device.signer))
        counts.set(result, (counts.get(result) ?? 0) + 1)
      }
      const accepted = [...counts.keys()].filter((result) => !isRefusal(result))
      expect(accepted).toEqual(['contraindicated'])
    }, 60_000)
  })

  it('of a reported PCR value matters: the device fails', async () => {
    const { tpm, claimsBytes, ueid } = decodeEvidence(bytes)
    const values = tpm?.pcrs?.get('sha256')
    if (tpm === null || values === undefined) throw new Error('no values')
    for (const [pcr, value] of values) {
      for (const changed of flipped(value)) {
        const pcrs = new Map([['sha256' as const, new Map([...values, [pcr, changed] as const])]])
        const message = await signEvidence({ ueid, claimsBytes, tpm: { ...tpm, pcrs } }, device.signer)
        expect(conclusion(message)).toBe('contraindicated')
      }
    }
  })
})
