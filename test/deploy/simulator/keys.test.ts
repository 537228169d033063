import { createPublicKey, verify } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ed25519Signer } from '../../../deploy/simulator/keys/ed25519.ts'
import {
  attestationKeyOf,
  deviceKeyOf,
  endorsementKeyOf,
  endorsementNameOf,
  ueidOf,
} from '../../../deploy/simulator/keys/gateway-keys.ts'
import { p256Key } from '../../../deploy/simulator/keys/p256.ts'
import { FleetSeed } from '../../../deploy/simulator/keys/seed.ts'
import { selected } from '../../../deploy/simulator/scenario.ts'
import { fromHex, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { nameOf } from '../../../shared/tpm/public.ts'

describe('keys from a seed', () => {
  it('are those of RFC 8032 section 7.1 for its seeds', async () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    const { x, signer } = ed25519Signer(seed)
    expect(toHex(x)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    expect(toHex(await signer.sign(new Uint8Array(0)))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
  })

  it('are a pair on P-256, also for a seed that is no private key', () => {
    for (const seed of [new Uint8Array(32).fill(7), new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
      const { x, y, privateKey } = p256Key(seed)
      expect(createPublicKey(privateKey).export({ format: 'jwk' })).toMatchObject({
        x: toBase64Url(x),
        y: toBase64Url(y),
      })
    }
  })

  it('are the same for the same fleet and number, and differ otherwise', () => {
    const all = (seed: string, index: number): readonly string[] => {
      const fleet = new FleetSeed(seed)
      return [
        ueidOf(fleet, index),
        toHex(deviceKeyOf(fleet, index).x),
        toHex(attestationKeyOf(fleet, index).name),
        toHex(attestationKeyOf(fleet, index, new Uint8Array(32).fill(1)).name),
        toHex(endorsementNameOf(fleet, index)),
      ]
    }
    expect(all('one', 3)).toEqual(all('one', 3))
    const names = [...all('one', 3), ...all('one', 4), ...all('two', 3)]
    expect(new Set(names).size).toBe(names.length)
  })

  it('sign what their public halves verify', () => {
    const fleet = new FleetSeed('one')
    const { area, sign } = attestationKeyOf(fleet, 1)
    const key = createPublicKey({
      key: { kty: 'EC', crv: 'P-256', x: toBase64Url(area.unique.x), y: toBase64Url(area.unique.y) },
      format: 'jwk',
    })
    const message = new Uint8Array(100)
    // TPMT_SIGNATURE: scheme, hash, then both numbers with their sizes.
    const signature = Buffer.from(sign(message))
    const numbers = Buffer.concat([signature.subarray(6, 38), signature.subarray(40)])
    expect(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, numbers)).toBe(true)
    expect(nameOf(endorsementKeyOf(fleet, 1).area, hash)).toEqual(endorsementNameOf(fleet, 1))
  })
})

describe('an order of a fleet', () => {
  it('has each gateway once', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 200 }), (seed, count) => {
        const order = new FleetSeed(seed).order('fleet', count)
        expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index))
      }),
    )
  })

  it('is divided by shares that follow on each other, without a gap and without a gateway twice', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), share, (count, border) => {
        const before = selected({ from: 0, to: border }, count)
        const after = selected({ from: border, to: 1 }, count)
        expect([before.from, before.to, after.to]).toEqual([0, after.from, count])
      }),
    )
    expect(selected({ first: 3 }, 2)).toEqual({ from: 0, to: 2 })
  })
})
