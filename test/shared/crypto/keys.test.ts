import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import { ecdsaKey, ed25519Key, rsaKey } from '../../../shared/crypto/node.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { outcomeOf } from '../../support/outcome.ts'

const P = 2n ** 255n - 19n

/** `y` little-endian, with the sign of x in the top bit. */
function point(y: bigint, sign: number): Uint8Array {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((y >> BigInt(8 * i)) & 255n))
  bytes[31] = (bytes[31] as number) | (sign << 7)
  return bytes
}

const ORDER_EIGHT = [
  BigInt('0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7'),
  P - BigInt('0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7'),
]

describe('an Ed25519 key', () => {
  it.each([0n, 1n, P - 1n, ...ORDER_EIGHT].flatMap((y) => [point(y, 0), point(y, 1)]))(
    'of small order is refused (%#)',
    (x) => {
      expect(outcomeOf(() => ed25519Key(x))).toBe('cose.key-malformed')
    },
  )

  it.each([0n, 1n, 2n, 3n, 18n].flatMap((excess) => [point(P + excess, 0), point(P + excess, 1)]))(
    'with y not below 2^255 - 19 is refused (%#)',
    (x) => {
      expect(outcomeOf(() => ed25519Key(x))).toBe('cose.key-malformed')
    },
  )

  it.each([0, 31, 33])('of %i bytes is refused', (length) => {
    expect(outcomeOf(() => ed25519Key(new Uint8Array(length).fill(9)))).toBe('cose.key-malformed')
  })

  const { signer, x } = ed25519Signer(new Uint8Array(32).fill(1))
  const key = ed25519Key(x)
  const message = Uint8Array.of(1, 2, 3)

  it('verifies what its holder signed, and nothing else', async () => {
    const signature = await signer.sign(message)
    expect(key.verify(message, signature)).toBe(true)
    expect(key.verify(Uint8Array.of(1, 2, 4), signature)).toBe(false)
  })

  it.each([0, 1, 32, 63, 65, 128])('answers false for a signature of %i bytes', (length) => {
    expect(key.verify(message, new Uint8Array(length))).toBe(false)
  })
})

describe('an ECDSA key', () => {
  // RFC 6979 appendix A.2.5.
  const x = fromHex('60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6')
  const y = fromHex('7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299')

  it('off its curve is refused', () => {
    const off = Uint8Array.from(y)
    off[31] = (off[31] as number) ^ 1
    expect(outcomeOf(() => ecdsaKey('p256', 'sha256', x, off))).toBe('tpm.key-invalid')
  })

  it.each([0, 63, 65, 70, 128])('answers false for a signature of %i bytes', (length) => {
    const key = ecdsaKey('p256', 'sha256', x, y)
    expect(key.verify(new Uint8Array(0), new Uint8Array(length).fill(1))).toBe(false)
  })
})

describe('an RSA key', () => {
  it.each([0, 1, 255, 256, 257])('answers false for a signature of %i bytes', (length) => {
    const n = new Uint8Array(256).fill(0xc5)
    for (const padding of ['rsassa', 'rsapss'] as const) {
      expect(rsaKey(padding, 'sha256', n, 65537).verify(new Uint8Array(0), new Uint8Array(length).fill(1))).toBe(false)
    }
  })
})
