import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import { CborTag, type CborValue } from '../../../shared/cbor/value.ts'
import { createMac0, parseMac0, verifyMac0, type Mac0Expectation } from '../../../shared/cose/mac0.ts'
import { equalConstantTime, hmac } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { outcomeOf } from '../../support/outcome.ts'

const key = { keyId: utf8('receipt'), secret: new Uint8Array(32).fill(7), hmac }
const contentType = 'ct'
const payload = utf8('hi')
const externalAad = Uint8Array.of(0x80)
const expected: Mac0Expectation = { key, externalAad, contentType, equal: equalConstantTime }
const message = createMac0({ payload, contentType, externalAad, key })
const verify = (bytes: Uint8Array, expectation = expected) => verifyMac0(parseMac0(bytes), expectation)

describe('a Mac0 message', () => {
  it('verifies and gives back what was authenticated', () => {
    const verified = verify(message)
    expect(toHex(verified.payload)).toBe(toHex(payload))
    expect(verified.contentType).toBe(contentType)
    expect(toHex(verified.keyId)).toBe(toHex(key.keyId))
  })

  it('is computed over the MAC_structure of RFC 9052 section 6.3, spelt out by hand', () => {
    const protectedHex = 'a3010503626374044772656365697074'
    const structure = fromHex(`84644d414330${'50'}${protectedHex}4180426869`)
    const code = createHmac('sha256', key.secret).update(structure).digest('hex')
    expect(toHex(message)).toBe(`d18450${protectedHex}a04268695820${code}`)
  })

  it('is refused with any single bit flipped', () => {
    for (let bit = 0; bit < message.length * 8; bit++) {
      const flipped = Uint8Array.from(message)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(
        outcomeOf(() => verify(flipped)),
        `bit ${bit}`,
      ).toBeDefined()
    }
  })

  it.each<[string, Partial<Mac0Expectation>, string]>([
    ['another secret', { key: { ...key, secret: new Uint8Array(32) } }, 'cose.mac-invalid'],
    ['another context', { externalAad: new Uint8Array(0) }, 'cose.mac-invalid'],
    ['another content type', { contentType: 'other' }, 'cose.content-type'],
    ['another key id', { key: { ...key, keyId: utf8('other') } }, 'cose.key-id-mismatch'],
  ])('is refused by a verifier that expects %s', (_what, change, code) => {
    expect(outcomeOf(() => verify(message, { ...expected, ...change }))).toBe(code)
  })

  const [protectedBytes, , , code] = (decodeCbor(message) as CborTag).value as Uint8Array[]
  const rebuilt = (tag: number, ...items: (CborValue | undefined)[]) =>
    encodeCbor(
      new CborTag(
        tag,
        items.map((item) => item ?? null),
      ),
    )

  it.each<[string, Uint8Array, string]>([
    ['the tag of Sign1', rebuilt(18, protectedBytes, new Map(), payload, code), 'cose.wrong-tag'],
    [
      'a code cut to 8 bytes',
      rebuilt(17, protectedBytes, new Map(), payload, code?.subarray(0, 8)),
      'cose.mac-invalid',
    ],
    ['an empty code', rebuilt(17, protectedBytes, new Map(), payload, new Uint8Array(0)), 'cose.mac-invalid'],
    ['no code', rebuilt(17, protectedBytes, new Map(), payload, null), 'cose.malformed'],
    ['something unprotected', rebuilt(17, protectedBytes, new Map([[4, 1]]), payload, code), 'cose.unprotected-header'],
  ])('is refused with %s', (_fault, bytes, outcome) => {
    expect(outcomeOf(() => verify(bytes))).toBe(outcome)
  })

  it('is refused with the short code of HMAC 256/64', () => {
    const short = encodeCbor(
      new Map<number, CborValue>([
        [1, 4],
        [3, contentType],
        [4, key.keyId],
      ]),
    )
    expect(outcomeOf(() => verify(rebuilt(17, short, new Map(), payload, new Uint8Array(8))))).toBe(
      'cose.algorithm-refused',
    )
  })

  it('is never made with a weak secret', () => {
    const weak = { ...key, secret: new Uint8Array(16) }
    expect(() => createMac0({ payload, contentType, externalAad, key: weak })).toThrow(KeepsealError)
  })
})
