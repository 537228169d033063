import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import { CborTag, type CborKey, type CborValue } from '../../../shared/cbor/value.ts'
import { COSE_ALGORITHM } from '../../../shared/cose/algorithms.ts'
import { authenticatedBytes, COSE_SIGN1 } from '../../../shared/cose/message.ts'
import { parseSign1, signSign1, verifySign1, type Sign1Expectation } from '../../../shared/cose/sign1.ts'
import { ecdsaKey, ed25519Key } from '../../../shared/crypto/node.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { cborLikeBytes } from '../cbor/arbitrary.ts'

// RFC 8032 section 7.1, test 1.
const { signer, x } = ed25519Signer(fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'))
const contentType = 'application/vnd.example+cbor'
const payload = utf8('the payload')
const externalAad = encodeCbor(['evidence', Uint8Array.of(1)])
const expected: Sign1Expectation = { key: ed25519Key(x), keyId: signer.keyId, externalAad, contentType }

const verify = (bytes: Uint8Array, expectation = expected) => verifySign1(parseSign1(bytes), expectation)

let message: Uint8Array
beforeAll(async () => {
  message = await signSign1({ payload, contentType, externalAad, signer })
})

type Header = [CborKey, CborValue][]
const goodHeader: Header = [
  [1, COSE_ALGORITHM.Ed25519],
  [3, contentType],
  [4, signer.keyId],
]
const header = (entries: Header) => encodeCbor(new Map(entries))

/** A message that is signed properly over whatever header is wanted. */
async function forge({
  protectedBytes = header(goodHeader),
  unprotected = new Map() as CborValue,
  tag = 18,
}): Promise<Uint8Array> {
  const signature = await signer.sign(authenticatedBytes(COSE_SIGN1, protectedBytes, externalAad, payload))
  return encodeCbor(new CborTag(tag, [protectedBytes, unprotected, payload, signature]))
}

describe('a Sign1 message', () => {
  it('verifies and gives back what was signed', () => {
    const verified = verify(message)
    expect(toHex(verified.payload)).toBe(toHex(payload))
    expect(verified.contentType).toBe(contentType)
    expect(toHex(verified.keyId)).toBe(toHex(signer.keyId))
    expect(verified.algorithm).toBe(-19)
  })

  it('has the shape of RFC 9052 section 4.2 with everything protected', () => {
    const [protectedBytes, unprotected] = (decodeCbor(message) as CborTag).value as CborValue[]
    expect(decodeCbor(protectedBytes as Uint8Array)).toEqual(new Map(goodHeader))
    expect(unprotected).toEqual(new Map())
    expect(message[0]).toBe(0xd2)
  })

  it('is refused with any single bit flipped', () => {
    let refused = 0
    for (let bit = 0; bit < message.length * 8; bit++) {
      const flipped = Uint8Array.from(message)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(
        outcomeOf(() => verify(flipped)),
        `bit ${bit}`,
      ).toBeDefined()
      refused++
    }
    expect(refused).toBe(message.length * 8)
  })

  it('is refused when cut anywhere', () => {
    for (let length = 0; length < message.length; length++) {
      expect(outcomeOf(() => verify(message.subarray(0, length)))).toMatch(/^cbor\.(truncated|length-exceeds-input)$/)
    }
  })

  it('is refused with a byte behind it', () => {
    expect(outcomeOf(() => verify(concat(message, Uint8Array.of(0))))).toBe('cbor.trailing-bytes')
  })

  it.each<[string, Partial<Sign1Expectation>, string]>([
    ['another context', { externalAad: encodeCbor(['evidence', Uint8Array.of(2)]) }, 'cose.signature-invalid'],
    ['no context', { externalAad: new Uint8Array(0) }, 'cose.signature-invalid'],
    ['another content type', { contentType: 'application/other' }, 'cose.content-type'],
    ['another key id', { keyId: new Uint8Array(32) }, 'cose.key-id-mismatch'],
    ['another key', { key: ed25519Key(ed25519Signer(new Uint8Array(32)).x) }, 'cose.signature-invalid'],
    ['another algorithm only', { algorithms: [COSE_ALGORITHM.EdDSA] }, 'cose.algorithm-refused'],
    ['no algorithm at all', { algorithms: [] }, 'cose.algorithm-refused'],
  ])('is refused by a verifier that expects %s', (_what, change, code) => {
    expect(outcomeOf(() => verify(message, { ...expected, ...change }))).toBe(code)
  })

  it("is refused when the algorithm is allowed but is not the key's", () => {
    const key = ecdsaKey(
      'p256',
      'sha256',
      fromHex('bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff'),
      fromHex('20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e'),
    )
    expect(outcomeOf(() => verify(message, { ...expected, key }))).toBe('cose.algorithm-refused')
  })

  it('with EdDSA (-8) verifies by policy only', async () => {
    const bytes = await signSign1({ payload, contentType, externalAad, signer: { ...signer, algorithm: -8 } })
    expect(outcomeOf(() => verify(bytes))).toBe('cose.algorithm-refused')
    expect(outcomeOf(() => verify(bytes, { ...expected, algorithms: [-19, -8] }))).toBeUndefined()
  })

  it('made by hand with a good header verifies', async () => {
    expect(toHex(await forge({}))).toBe(toHex(message))
  })

  const without = (label: number) => header(goodHeader.filter(([key]) => key !== label))
  const withEntry = (label: CborKey, value: CborValue) =>
    header([...goodHeader.filter(([key]) => key !== label), [label, value]])

  it.each<[string, Parameters<typeof forge>[0], string]>([
    ['the tag of Mac0', { tag: 17 }, 'cose.wrong-tag'],
    ['the key id in the unprotected header', { unprotected: new Map([[4, signer.keyId]]) }, 'cose.unprotected-header'],
    ['the algorithm in both headers', { unprotected: new Map([[1, -19]]) }, 'cose.unprotected-header'],
    ['an array for the unprotected header', { unprotected: [] }, 'cose.malformed'],
    ['null for the unprotected header', { unprotected: null }, 'cose.malformed'],
    ['an empty protected header', { protectedBytes: new Uint8Array(0) }, 'cose.algorithm-missing'],
    ['an array for the protected header', { protectedBytes: encodeCbor([1, -19]) }, 'cose.malformed'],
    ['a protected header that is not CBOR', { protectedBytes: fromHex('a301') }, 'cbor.length-exceeds-input'],
    [
      'bytes behind the protected header',
      { protectedBytes: concat(header(goodHeader), Uint8Array.of(0)) },
      'cbor.trailing-bytes',
    ],
    ['the algorithm twice', { protectedBytes: fromHex('a201320132') }, 'cbor.duplicate-key'],
    ['no algorithm', { protectedBytes: without(1) }, 'cose.algorithm-missing'],
    ['an algorithm by name', { protectedBytes: withEntry(1, 'Ed25519') }, 'cose.algorithm-refused'],
    ['null for an algorithm', { protectedBytes: withEntry(1, null) }, 'cose.algorithm-refused'],
    ['an algorithm that nobody knows', { protectedBytes: withEntry(1, -999) }, 'cose.algorithm-refused'],
    ['a MAC algorithm', { protectedBytes: withEntry(1, 5) }, 'cose.algorithm-refused'],
    ['no content type', { protectedBytes: without(3) }, 'cose.malformed'],
    ['a content type by number', { protectedBytes: withEntry(3, 0) }, 'cose.malformed'],
    ['no key id', { protectedBytes: without(4) }, 'cose.malformed'],
    ['a key id that is text', { protectedBytes: withEntry(4, 'key') }, 'cose.malformed'],
    ['an empty key id', { protectedBytes: withEntry(4, new Uint8Array(0)) }, 'cose.malformed'],
    ['a critical header', { protectedBytes: withEntry(2, [1]) }, 'cose.critical-header'],
    ['an empty list of critical headers', { protectedBytes: withEntry(2, []) }, 'cose.critical-header'],
    [
      'a header parameter that it does not define',
      { protectedBytes: withEntry(33, new Uint8Array(1)) },
      'cose.malformed',
    ],
  ])('is refused with %s, however well it is signed', async (_fault, parts, code) => {
    const bytes = await forge(parts)
    expect(outcomeOf(() => verify(bytes))).toBe(code)
  })

  it.each<[string, CborValue, string]>([
    ['no tag', [header(goodHeader), new Map(), payload, new Uint8Array(64)], 'cose.wrong-tag'],
    ['its tag twice', new CborTag(18, new CborTag(18, [])), 'cose.malformed'],
    ['three elements', new CborTag(18, [header(goodHeader), new Map(), payload]), 'cose.malformed'],
    [
      'five elements',
      new CborTag(18, [header(goodHeader), new Map(), payload, new Uint8Array(64), 0]),
      'cose.malformed',
    ],
    [
      'a detached payload',
      new CborTag(18, [header(goodHeader), new Map(), null, new Uint8Array(64)]),
      'cose.malformed',
    ],
    ['a text payload', new CborTag(18, [header(goodHeader), new Map(), 'text', new Uint8Array(64)]), 'cose.malformed'],
    ['no signature', new CborTag(18, [header(goodHeader), new Map(), payload, null]), 'cose.malformed'],
    [
      'an empty signature',
      new CborTag(18, [header(goodHeader), new Map(), payload, new Uint8Array(0)]),
      'cose.signature-invalid',
    ],
    [
      'a signature of zeros',
      new CborTag(18, [header(goodHeader), new Map(), payload, new Uint8Array(64)]),
      'cose.signature-invalid',
    ],
    [
      'a map for its protected header',
      new CborTag(18, [new Map(goodHeader), new Map(), payload, new Uint8Array(64)]),
      'cose.malformed',
    ],
  ])('is refused with %s', (_fault, value, code) => {
    expect(outcomeOf(() => verify(encodeCbor(value)))).toBe(code)
  })

  it('made of any bytes ends in an outcome', () => {
    fc.assert(
      fc.property(cborLikeBytes, (bytes) => {
        expect(outcomeOf(() => verify(bytes))).toMatch(/^(cbor|cose)\./)
      }),
      { numRuns: 1000 },
    )
  })
})
