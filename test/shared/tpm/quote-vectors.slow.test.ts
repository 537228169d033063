import { createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { fromBase64Url, utf8 } from '../../../shared/bytes/bytes.ts'
import type { OutcomeCode } from '../../../shared/codes/outcomes.ts'
import { HASH_SIZE } from '../../../shared/crypto/crypto.ts'
import * as node from '../../../shared/crypto/node.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { attestationKeyOf, type AttestationKey } from '../../../shared/tpm/attestation-key.ts'
import { parseQuoteAttest } from '../../../shared/tpm/attest.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { parsePublicArea } from '../../../shared/tpm/public.ts'
import {
  appraiseQuote,
  DEFAULT_QUOTE_POLICY,
  verifyQuote,
  type QuoteInput,
  type QuotePolicy,
} from '../../../shared/tpm/quote.ts'
import { attestationKeyTemplate } from '../../../shared/tpm/templates.ts'
import { fixturesDescribe, readFixture, readJsonFixture } from '../../support/fixtures.ts'
import { digestsOfPcrFile } from '../../support/pcr-file.ts'
import { vmQuote } from '../../support/vm-sb.ts'

const base64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'))

/** Every copy of `bytes` with exactly one bit changed. */
function* flipped(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = Uint8Array.from(bytes)
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield copy
  }
}

/** The code that refuses the input; an accepted quote, or a refusal without a code, fails the test. */
function refusalOf(input: QuoteInput): OutcomeCode {
  try {
    verifyQuote(input)
  } catch (error) {
    expect(error).toBeInstanceOf(OutcomeError)
    return (error as OutcomeError).code
  }
  throw new Error('the quote was accepted')
}

fixturesDescribe('vm-sb', 'the quote of a measured boot', () => {
  test('verifies', () => {
    const quote = verifyQuote(vmQuote())
    expect(quote.clockInfo).toMatchObject({ resetCount: 2, restartCount: 0, safe: true })
    expect(quote.selection[0]?.pcrs).toHaveLength(15)
    expect(Buffer.from(quote.pcrs.get('sha256')?.get(0) ?? []).toString('hex')).toBe(
      '53733b3edffc32f1d92c7e2991ad992fc5cccce32819eb77f8a58599d56679f1',
    )
  })

  // IMA went on measuring: PCR 10 had another value by the time the PCRs were read.
  test('does not verify with the values that the PCRs had later', () => {
    const bank = readFixture('vm-sb', 'pcrs.bin').subarray(24 * HASH_SIZE.sha1)
    const later = new Map(Array.from({ length: 15 }, (_, pcr) => [pcr, bank.subarray(pcr * 32, pcr * 32 + 32)]))
    const input = vmQuote()
    expect(refusalOf({ ...input, pcrs: new Map([['sha256', later]]) })).toBe('quote.pcr-digest-mismatch')
    const then = input.pcrs.get('sha256')?.get(10) ?? new Uint8Array(0)
    const mended: PcrValues = new Map([['sha256', later.set(10, Buffer.from(then))]])
    expect(() => verifyQuote({ ...input, pcrs: mended })).not.toThrow()
  })

  const POLICIES: readonly [string, QuotePolicy][] = [
    ['the default policy', DEFAULT_QUOTE_POLICY],
    ['every bank allowed', { banks: ['sha256', 'sha384'], required: [] }],
    ['PCR 0-7 required', { banks: ['sha256'], required: [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }] }],
  ]
  test.each(POLICIES)('is refused with any single bit of it changed: %s', (_, policy) => {
    const input = { ...vmQuote(), policy }
    expect(() => verifyQuote(input)).not.toThrow()
    const codes = new Set<OutcomeCode>()
    for (const attest of flipped(input.attest)) codes.add(refusalOf({ ...input, attest }))
    // Damage is told apart as far as it can be: where the structure still reads, it is the signature that fails.
    expect([...codes].sort()).toEqual([
      'quote.magic',
      'quote.signature-invalid',
      'quote.type',
      'tpm.algorithm-refused',
      'tpm.malformed',
    ])
  })

  test('is refused with any single bit of its signature changed', () => {
    const input = vmQuote()
    for (const signature of flipped(input.signature)) refusalOf({ ...input, signature })
  })

  test('is refused with any single bit of a PCR value changed', () => {
    const input = vmQuote()
    const values = new Map(input.pcrs.get('sha256'))
    for (const [pcr, value] of values) {
      for (const changed of flipped(value)) {
        const pcrs: PcrValues = new Map([['sha256', new Map(values).set(pcr, changed)]])
        // The signature does not cover what is changed here, and costs most of the time: it was checked above.
        const signer = { ...input.signer, key: { scheme: input.signer.key.scheme, verify: () => true } }
        expect(refusalOf({ ...input, signer, pcrs })).toBe('quote.pcr-digest-mismatch')
      }
    }
  })

  test('is refused with any single bit of the expected nonce or of the qualified name changed', () => {
    const input = vmQuote()
    for (const expectedExtraData of flipped(input.expectedExtraData)) {
      expect(refusalOf({ ...input, expectedExtraData })).toBe('quote.nonce-mismatch')
    }
    for (const qualifiedName of flipped(input.signer.qualifiedName)) {
      expect(refusalOf({ ...input, signer: { ...input.signer, qualifiedName } })).toBe('quote.signer-mismatch')
    }
  })
})

interface KeylimeVector {
  readonly quote: Record<'akPublicPem' | 'signatureTpmt' | 'attest' | 'pcrs' | 'nonceUtf8', string>
}

interface WindowsVector {
  readonly AK: { readonly Public: string }
  readonly Quote: { readonly Quote: string; readonly Signature: string }
  readonly Log: { readonly PCRs: readonly { readonly Index: number; readonly Digest: string }[] }
}

fixturesDescribe('quotes', 'quotes of other systems', () => {
  test('RSASSA: everything verifies, and a quote over the resettable PCR 16 is refused for that alone', () => {
    const { quote } = readJsonFixture('quotes', 'keylime-rsassa.json') as KeylimeVector
    const attest = base64(quote.attest)
    const { n = '' } = createPublicKey(quote.akPublicPem).export({ format: 'jwk' })
    const template = attestationKeyTemplate('rsassa-2048', new Uint8Array(32))
    if (template.type !== 'rsa') throw new Error('not an RSA template')
    const area = { ...template, unique: fromBase64Url(n) }
    // The vector has no public area to compute the name from: the one that the quote itself gives stands in for it.
    const signer = attestationKeyOf(area, parseQuoteAttest(attest).qualifiedSigner, node)
    const [value] = digestsOfPcrFile(base64(quote.pcrs))
    if (value === undefined) throw new Error('no PCR value')
    const input: QuoteInput = {
      attest,
      signature: base64(quote.signatureTpmt),
      signer,
      expectedExtraData: utf8(quote.nonceUtf8),
      pcrs: new Map([['sha256', new Map([[16, value]])]]),
      policy: DEFAULT_QUOTE_POLICY,
      hash: node.hash,
    }
    expect(appraiseQuote(input).failures.map(({ code }) => code)).toEqual(['quote.resettable-pcr'])
    const signature = Uint8Array.from(input.signature)
    signature[20] = (signature[20] ?? 0) ^ 1
    expect(refusalOf({ ...input, signature })).toBe('quote.signature-invalid')
  })

  test('SHA-1 with an empty nonce: refused for each of its weaknesses', () => {
    const { AK, Quote, Log } = readJsonFixture('quotes', 'windows_gcp_shielded_vm.json') as WindowsVector
    let signer: AttestationKey | OutcomeError
    try {
      const area = parsePublicArea(base64(AK.Public))
      signer = attestationKeyOf(area, parseQuoteAttest(base64(Quote.Quote)).qualifiedSigner, node)
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      signer = error
    }
    const values = new Map(Log.PCRs.map(({ Index, Digest }) => [Index, base64(Digest)]))
    const { quote, failures } = appraiseQuote({
      attest: base64(Quote.Quote),
      signature: base64(Quote.Signature),
      signer,
      expectedExtraData: new Uint8Array(0),
      pcrs: new Map([['sha1', values]]),
      policy: DEFAULT_QUOTE_POLICY,
      hash: node.hash,
    })
    expect(quote).toBeNull()
    expect(failures.map(({ code }) => code)).toEqual([
      'tpm.algorithm-refused',
      'quote.hash-refused',
      'quote.nonce-empty',
      'quote.bank-refused',
      'quote.resettable-pcr',
    ])
  })
})
