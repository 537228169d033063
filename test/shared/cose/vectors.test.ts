import { expect, it } from 'vitest'
import { fromBase64Url, fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import type { OutcomeCode } from '../../../shared/codes/outcomes.ts'
import { readAlgorithm } from '../../../shared/cose/headers.ts'
import { authenticatedBytes, COSE_SIGN1, openMessage } from '../../../shared/cose/message.ts'
import { checkSignature, parseSign1 } from '../../../shared/cose/sign1.ts'
import type { VerificationKey } from '../../../shared/crypto/crypto.ts'
import { ecdsaKey, ed25519Key } from '../../../shared/crypto/node.ts'
import { fixturesDescribe, readJsonFixture } from '../../support/fixtures.ts'
import { outcomeOf } from '../../support/outcome.ts'

// These messages were made by others: unprotected key ids, no content types, several algorithms. They go through the
// parts that our own, narrower message profile is made of.

interface VectorKey {
  readonly crv: string
  readonly x?: string
  readonly y?: string
  readonly x_hex?: string
}

function importKey({ crv, x = '', y = '', x_hex = '' }: VectorKey): VerificationKey {
  if (crv === 'Ed25519') return ed25519Key(fromHex(x_hex))
  if (crv === 'P-384') return ecdsaKey('p384', 'sha384', fromBase64Url(x), fromBase64Url(y))
  return ecdsaKey('p256', 'sha256', fromBase64Url(x), fromBase64Url(y))
}

function verify(bytes: Uint8Array, key: VerificationKey, externalAad: Uint8Array): void {
  const message = openMessage(COSE_SIGN1, bytes)
  checkSignature(message, readAlgorithm(message), key, externalAad)
}

interface WorkingGroupVector {
  readonly title: string
  readonly input: { readonly sign0: { readonly key: VectorKey; readonly external?: string } }
  readonly intermediates: { readonly ToBeSign_hex: string }
  readonly output: { readonly cbor: string }
}

fixturesDescribe('cose', 'COSE working group examples', () => {
  const read = (name: string) => readJsonFixture('cose', `${name}.json`) as WorkingGroupVector

  const outcome = ({ input, output }: WorkingGroupVector) => {
    const key = importKey(input.sign0.key)
    return outcomeOf(() => verify(fromHex(output.cbor), key, fromHex(input.sign0.external ?? '')))
  }

  it.each(['eddsa-sig-01', 'sign1-sign-pass-02'])('%s verifies, over the bytes that the example gives', (name) => {
    const vector = read(name)
    expect(outcome(vector)).toBeUndefined()
    const { protectedBytes, payload } = openMessage(COSE_SIGN1, fromHex(vector.output.cbor))
    const signed = authenticatedBytes(COSE_SIGN1, protectedBytes, fromHex(vector.input.sign0.external ?? ''), payload)
    expect(toHex(signed).toUpperCase()).toBe(vector.intermediates.ToBeSign_hex)
  })

  it('sign1-sign-pass-01 verifies with its empty protected header, but says its algorithm unprotected', () => {
    const vector = read('sign1-sign-pass-01')
    const message = openMessage(COSE_SIGN1, fromHex(vector.output.cbor))
    const key = importKey(vector.input.sign0.key)
    expect(outcomeOf(() => checkSignature(message, -7, key, new Uint8Array(0)))).toBeUndefined()
    expect(outcome(vector)).toBe('cose.algorithm-missing')
  })

  it('sign1-sign-pass-03 has no tag, which our messages need', () => {
    const vector = read('sign1-sign-pass-03')
    expect(outcome(vector)).toBe('cose.wrong-tag')
    const tagged = { ...vector, output: { cbor: `d2${vector.output.cbor}` } }
    expect(outcome(tagged)).toBeUndefined()
  })

  it.each<[string, OutcomeCode]>([
    ['sign1-sign-fail-01', 'cbor.unsupported-type'],
    ['sign1-sign-fail-02', 'cose.signature-invalid'],
    ['sign1-sign-fail-03', 'cose.algorithm-refused'],
    ['sign1-sign-fail-04', 'cose.algorithm-refused'],
    ['sign1-sign-fail-06', 'cose.signature-invalid'],
    ['sign1-sign-fail-07', 'cose.signature-invalid'],
  ])('%s ends as %s', (name, code) => {
    expect(outcome(read(name))).toBe(code)
  })

  it('eddsa-sig-02 (Ed448) is not verified with an Ed25519 key', () => {
    const ed25519 = importKey(read('eddsa-sig-01').input.sign0.key)
    const bytes = fromHex(read('eddsa-sig-02').output.cbor)
    expect(outcomeOf(() => verify(bytes, ed25519, new Uint8Array(0)))).toBe('cose.signature-invalid')
  })

  it('none of them passes for a message of this product', () => {
    for (const name of ['eddsa-sig-01', 'sign1-sign-pass-01', 'sign1-sign-pass-02']) {
      expect(outcomeOf(() => parseSign1(fromHex(read(name).output.cbor)))).toBe('cose.unprotected-header')
    }
  })
})

interface GoCoseVector {
  readonly title: string
  readonly key: VectorKey
  readonly 'sign1::verify': {
    readonly taggedCOSESign1: { readonly cborHex: string }
    readonly external?: string
    readonly shouldVerify: boolean
  }
}

fixturesDescribe('cose', 'go-cose examples', () => {
  it.each<[string, OutcomeCode | undefined]>([
    ['0000', undefined],
    ['0001', undefined],
    ['0002', undefined],
    ['negative-0000', 'cose.malformed'],
    ['negative-0001', 'cose.malformed'],
    ['negative-0002', 'cbor.duplicate-key'],
    ['negative-0003', 'cbor.duplicate-key'],
  ])('go-cose-sign1-verify-%s ends as %s', (name, code) => {
    const vector = readJsonFixture('cose', `go-cose-sign1-verify-${name}.json`) as GoCoseVector
    const { taggedCOSESign1, external = '', shouldVerify } = vector['sign1::verify']
    const key = importKey(vector.key)
    expect(outcomeOf(() => verify(fromHex(taggedCOSESign1.cborHex), key, fromHex(external)))).toBe(code)
    expect(shouldVerify).toBe(code === undefined)
  })

  it('go-cose-sign1-verify-0003 is ES512, which is not allowed', () => {
    const vector = readJsonFixture('cose', 'go-cose-sign1-verify-0003.json') as GoCoseVector
    const other = importKey((readJsonFixture('cose', 'go-cose-sign1-verify-0000.json') as GoCoseVector).key)
    const bytes = fromHex(vector['sign1::verify'].taggedCOSESign1.cborHex)
    expect(outcomeOf(() => verify(bytes, other, new Uint8Array(0)))).toBe('cose.algorithm-refused')
  })
})
