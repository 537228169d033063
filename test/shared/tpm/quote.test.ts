import { describe, expect, test } from 'vitest'
import { concat, fromHex } from '../../../shared/bytes/bytes.ts'
import type { OutcomeCode } from '../../../shared/codes/outcomes.ts'
import * as node from '../../../shared/crypto/node.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { appraiseQuote, verifyQuote, type QuoteAppraisalInput, type QuoteInput } from '../../../shared/tpm/quote.ts'
import { encodeSignature, parseSignature } from '../../../shared/tpm/signature.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { NONCE, PCRS, pcrsOf, quoteInput, SELECTION, SoftwareSigner } from '../../support/tpm-quote.ts'

const signer = new SoftwareSigner('ecdsa')
const rsassa = new SoftwareSigner('rsassa')
const rsapss = new SoftwareSigner('rsapss')
const good = quoteInput(signer)

const codesOf = (input: QuoteAppraisalInput): OutcomeCode[] => appraiseQuote(input).failures.map(({ code }) => code)
const refusal = (input: QuoteInput): OutcomeCode | undefined => outcomeOf(() => verifyQuote(input))

describe('a good quote', () => {
  test.each([
    ['ECDSA', signer],
    ['RSASSA', rsassa],
    ['RSAPSS', rsapss],
  ] as const)('by %s verifies', (_, by) => {
    const quote = verifyQuote(quoteInput(by))
    expect(quote.clockInfo).toEqual({ clock: 123_456n, resetCount: 2, restartCount: 1, safe: true })
    expect(quote.firmwareVersion).toBe(0x2019_1023_0016_3636n)
    expect(quote.pcrs).toEqual(PCRS)
  })

  test('keeps its values when the caller changes his own', () => {
    const mine = new Uint8Array(32).fill(1)
    const pcrs: PcrValues = new Map([['sha256', new Map([[0, mine]])]])
    const quote = verifyQuote(quoteInput(signer, { selection: [{ bank: 'sha256', pcrs: [0] }] }, pcrs))
    mine.fill(0xff)
    expect(quote.pcrs.get('sha256')?.get(0)).toEqual(new Uint8Array(32).fill(1))
  })

  test('may pad its bitmap and carry a SHA-384 bank where the policy takes it', () => {
    const input = quoteInput(
      signer,
      { selection: [{ bank: 'sha384', pcrs: [0, 1], bitmapSize: 4 }] },
      pcrsOf('sha384', 48, 0, 1),
    )
    expect(refusal({ ...input, policy: { banks: ['sha256'], required: [] } })).toBe('quote.bank-refused')
    expect(refusal({ ...input, policy: { banks: ['sha384'], required: [] } })).toBeUndefined()
  })

  test('by a key with SHA-384 has its PCR digest in SHA-384', () => {
    const by = new SoftwareSigner('ecdsa', (area) => ({ ...area, scheme: { scheme: 'ecdsa', hash: 'sha384' } }))
    expect(refusal(quoteInput(by, {}, PCRS, 'sha384'))).toBeUndefined()
    const wrongDigest = quoteInput(by, { pcrDigest: quoteDigest('sha256') }, PCRS, 'sha384')
    expect(refusal(wrongDigest)).toBe('quote.pcr-digest-mismatch')
  })
})

function quoteDigest(algorithm: 'sha256' | 'sha384'): Uint8Array {
  return node.hash(algorithm, concat(...(PCRS.get('sha256')?.values() ?? [])))
}

describe('a quote is refused', () => {
  const other = new SoftwareSigner('ecdsa')
  const bytes = (hex: string) => fromHex(hex)
  const cases: readonly [string, QuoteInput, OutcomeCode][] = [
    ['that was not made by a TPM', quoteInput(signer, { magic: 0xff544348 }), 'quote.magic'],
    ['that is a certification', quoteInput(signer, { type: 0x8017 }), 'quote.type'],
    ['with a byte behind it', { ...good, attest: concat(good.attest, bytes('00')) }, 'tpm.malformed'],
    ['with a byte behind its signature', { ...good, signature: concat(good.signature, bytes('00')) }, 'tpm.malformed'],
    ['without a signature', { ...good, signature: new Uint8Array(0) }, 'tpm.malformed'],
    ['of a key that is not the enrolled one', { ...good, signer: other.attestationKey }, 'quote.signature-invalid'],
    [
      'of another key under the enrolled name',
      quoteInput(other, { qualifiedSigner: signer.attestationKey.qualifiedName }),
      'quote.signer-mismatch',
    ],
    ['with an empty signer', quoteInput(signer, { qualifiedSigner: new Uint8Array(0) }), 'quote.signer-mismatch'],
    ['with an empty nonce', quoteInput(signer, { extraData: new Uint8Array(0) }), 'quote.nonce-empty'],
    ['with another nonce', quoteInput(signer, { extraData: NONCE.with(0, 1) }), 'quote.nonce-mismatch'],
    [
      'with a nonce that only begins like ours',
      quoteInput(signer, { extraData: concat(NONCE, bytes('00')) }),
      'quote.nonce-mismatch',
    ],
    ['where no nonce was expected', { ...good, expectedExtraData: new Uint8Array(0) }, 'quote.nonce-mismatch'],
    [
      'without a nonce where none was expected',
      { ...quoteInput(signer, { extraData: new Uint8Array(0) }), expectedExtraData: new Uint8Array(0) },
      'quote.nonce-empty',
    ],
    [
      'over SHA-1 PCRs',
      quoteInput(signer, { selection: [{ bank: 'sha1', pcrs: [0] }] }, pcrsOf('sha1', 20, 0)),
      'quote.bank-refused',
    ],
    [
      'that names a refused bank without a PCR of it',
      quoteInput(signer, { selection: [...SELECTION, { bank: 'sha1', pcrs: [] }] }),
      'quote.bank-refused',
    ],
    [
      'over PCR 16',
      quoteInput(signer, { selection: [{ bank: 'sha256', pcrs: [0, 16] }] }, pcrsOf('sha256', 32, 0, 16)),
      'quote.resettable-pcr',
    ],
    [
      'over PCR 23',
      quoteInput(signer, { selection: [{ bank: 'sha256', pcrs: [0, 23] }] }, pcrsOf('sha256', 32, 0, 23)),
      'quote.resettable-pcr',
    ],
    ['with a PCR more than reported', { ...good, pcrs: pcrsOf('sha256', 32, 0, 1, 2) }, 'quote.selection-mismatch'],
    [
      'with a PCR less than reported',
      { ...good, pcrs: pcrsOf('sha256', 32, 0, 1, 2, 3, 7) },
      'quote.selection-mismatch',
    ],
    ['with values of another bank', { ...good, pcrs: pcrsOf('sha384', 48, 0, 1, 2, 7) }, 'quote.selection-mismatch'],
    ['when nobody knows the values', { ...good, pcrs: new Map() }, 'quote.pcrs-missing'],
    ['over no PCR at all', quoteInput(signer, { selection: [] }, new Map()), 'quote.selection-mismatch'],
    [
      'over an empty bitmap',
      quoteInput(signer, { selection: [{ bank: 'sha256', pcrs: [] }] }, new Map()),
      'quote.selection-mismatch',
    ],
    [
      'without a PCR that the policy requires',
      { ...good, policy: { banks: ['sha256'], required: [{ bank: 'sha256', pcrs: [4] }] } },
      'quote.selection-mismatch',
    ],
    ['with another digest', quoteInput(signer, { pcrDigest: new Uint8Array(32) }), 'quote.pcr-digest-mismatch'],
    ['with no digest', quoteInput(signer, { pcrDigest: new Uint8Array(0) }), 'quote.pcr-digest-mismatch'],
    ['of PCRs that the policy has no bank for', { ...good, policy: { banks: [], required: [] } }, 'quote.bank-refused'],
  ]
  test.each(cases)('%s', (_, input, code) => {
    expect(refusal(input)).toBe(code)
    expect(appraiseQuote(input).quote).toBeNull()
  })

  test('with values swapped between two PCRs', () => {
    const values = new Map(PCRS.get('sha256'))
    values.set(0, new Uint8Array(32).fill(2)).set(1, new Uint8Array(32).fill(1))
    expect(refusal({ ...good, pcrs: new Map([['sha256', values]]) })).toBe('quote.pcr-digest-mismatch')
  })

  // CVE-2024-29038 and -29039: a verifier that took order, selection or hash from what lay beside the quote.
  test('whose digest is over the values in the order in which they were reported', () => {
    const reversed = new Map([...(PCRS.get('sha256') ?? [])].toReversed())
    const pcrDigest = node.hash('sha256', concat(...reversed.values()))
    expect(refusal({ ...quoteInput(signer, { pcrDigest }), pcrs: new Map([['sha256', reversed]]) })).toBe(
      'quote.pcr-digest-mismatch',
    )
  })

  test('by a policy that was talked into SHA-1', () => {
    const input = quoteInput(signer, { selection: [{ bank: 'sha1', pcrs: [0] }] }, pcrsOf('sha1', 20, 0))
    const policy = { banks: ['sha1'], required: [] } as unknown as QuoteInput['policy']
    expect(refusal({ ...input, policy })).toBe('quote.bank-refused')
  })

  test('signed with SHA-1 by the right key', () => {
    expect(codesOf(quoteInput(rsassa, {}, PCRS, 'sha1'))).toEqual([
      'quote.hash-refused',
      'quote.scheme-refused',
      'quote.signature-invalid',
    ])
  })

  test('whose signature says another scheme or hash than the key has', () => {
    const signature = parseSignature(quoteInput(rsassa).signature)
    for (const change of [{ scheme: 'rsapss' }, { hash: 'sha384' }] as const) {
      const changed = encodeSignature({ ...signature, ...change } as typeof signature)
      expect(refusal({ ...quoteInput(rsassa), signature: changed })).toBe('quote.scheme-refused')
    }
    const crossed = { ...quoteInput(rsassa), signature: good.signature }
    expect(refusal(crossed)).toBe('quote.scheme-refused')
  })

  test('by a key whose verification answers with something else than true', () => {
    const key = { scheme: 'ecdsa-p256-sha256', verify: () => ({}) } as unknown as typeof signer.attestationKey.key
    expect(refusal({ ...good, signer: { ...signer.attestationKey, key } })).toBe('quote.signature-invalid')
  })
})

describe('appraisal', () => {
  test('tells everything that is wrong, in order', () => {
    const input = quoteInput(
      signer,
      {
        qualifiedSigner: new Uint8Array(0),
        extraData: new Uint8Array(0),
        selection: [{ bank: 'sha1', pcrs: [16] }],
        pcrDigest: new Uint8Array(0),
      },
      pcrsOf('sha1', 20, 17),
    )
    expect(codesOf({ ...input, signature: quoteInput(signer).signature })).toEqual([
      'quote.signature-invalid',
      'quote.signer-mismatch',
      'quote.nonce-empty',
      'quote.bank-refused',
      'quote.resettable-pcr',
      'quote.selection-mismatch',
      'quote.selection-mismatch',
    ])
  })

  test('a refused key is a failure of the quote, whatever else holds', () => {
    const refused = new OutcomeError('tpm.key-attributes')
    const appraisal = appraiseQuote({ ...good, signer: refused })
    expect(appraisal.quote).toBeNull()
    expect(appraisal.failures).toEqual([refused])
  })

  test('two unreadable structures are two failures', () => {
    const nothing = new Uint8Array(0)
    expect(codesOf({ ...good, attest: nothing, signature: nothing })).toEqual(['tpm.malformed', 'tpm.malformed'])
  })

  test('a fault of ours is not turned into a verdict', () => {
    const hash = () => {
      throw new TypeError('broken')
    }
    expect(() => appraiseQuote({ ...good, hash })).toThrow(TypeError)
  })
})
