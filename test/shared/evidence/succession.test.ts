import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../../shared/bytes/bytes.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import type { Signer } from '../../../shared/cose/sign1.ts'
import { ed25519Key, hash, random } from '../../../shared/crypto/node.ts'
import type { DeviceKey } from '../../../shared/evidence/evidence.ts'
import {
  encodeSuccession,
  MAX_STATEMENTS,
  signSuccessor,
  successorsOf,
  type Successor,
  type TrustedCollector,
} from '../../../shared/evidence/succession.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { filled } from '../../support/messages.ts'

const id = filled(16, 0x31)
const keyOf = (x: Uint8Array): DeviceKey => ({
  key: ed25519Key(x),
  thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash),
})
const successor = (number: number, key: Uint8Array, over: Partial<Successor> = {}): Successor => ({
  collectorId: id,
  number,
  at: 1_781_234_000 + number,
  key,
  authorities: [filled(400, number)],
  mqttUrl: `mqtts://broker-${number}.example:8883`,
  collectorUrl: 'https://collector.example:8443',
  ...over,
})

/** Five statements: three of them name a new key, two change the rest. */
const keys = [1, 2, 3, 4].map((seed) => ed25519Signer(filled(32, seed)))
const [k0, k1, k2, k3] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0], (typeof keys)[0]]
const STEPS: readonly [by: Signer, number: number, key: Uint8Array][] = [
  [k0.signer, 1, k1.x],
  [k1.signer, 2, k1.x],
  [k1.signer, 4, k2.x],
  [k2.signer, 5, k3.x],
  [k3.signer, 9, k3.x],
]
const chain = await Promise.all(STEPS.map(([by, number, key]) => signSuccessor(successor(number, key), by)))
/** Whom a device may trust that has come so far; first that of its enrolment. */
const STATES: readonly TrustedCollector[] = [
  { id, number: 0, key: keyOf(k0.x) },
  ...STEPS.map(([, number, key]) => ({ id, number, key: keyOf(key) })),
]

/** Where a device ends that is offered this. */
const led = (from: TrustedCollector, statements: readonly Uint8Array[]): TrustedCollector => {
  const newest = successorsOf(from, encodeSuccession(statements), keyOf).at(-1)
  return newest === undefined ? from : { id, number: newest.number, key: keyOf(newest.key) }
}
const name = ({ number, key }: TrustedCollector): string => `${number} ${toHex(key.thumbprint)}`
const END = name(STATES.at(-1) as TrustedCollector)
const onTheWay = new Map(STATES.map((state, index) => [name(state), index]))

describe('the succession of a collector', () => {
  it('leads who was away to its end, however long he was away', () => {
    for (const state of STATES) expect(name(led(state, chain))).toBe(END)
  })

  it('of which one statement is left out leads to where it was left out', () => {
    const [first, , third, fourth, fifth] = chain as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    // The second names no new key, and is not needed.
    expect(name(led(STATES[0] as TrustedCollector, [first, third, fourth, fifth]))).toBe(END)
    expect(name(led(STATES[0] as TrustedCollector, [first, third, fifth]))).toBe(name(STATES[3] as TrustedCollector))
  })

  it('is never followed back, nor anywhere else: cut, repeated, reordered, played again or damaged', () => {
    const damaged = fc.tuple(fc.nat(chain.length - 1), fc.nat(), fc.nat(7)).map(([index, at, bit]) => {
      const bytes = Uint8Array.from(chain[index] ?? [])
      const place = at % bytes.length
      bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
      return bytes
    })
    const statement = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...chain) }, { weight: 1, arbitrary: damaged })
    fc.assert(
      fc.property(
        fc.nat(STATES.length - 1),
        fc.array(fc.array(statement, { minLength: 1, maxLength: 8 }), { maxLength: 4 }),
        (start, offers) => {
          let state = STATES[start] as TrustedCollector
          let index = start
          for (const offer of offers) {
            state = led(state, offer)
            const now = onTheWay.get(name(state)) ?? -1
            expect(now).toBeGreaterThanOrEqual(index)
            index = now
          }
          // Nothing of it stands in the way of the whole one.
          expect(name(led(state, chain))).toBe(END)
        },
      ),
    )
  })

  it('is not forked by a former key for who has gone on, nor by anybody else ever', async () => {
    const thief = ed25519Signer(random(32))
    const forks = await Promise.all([
      signSuccessor(successor(100, thief.x), k0.signer),
      signSuccessor(successor(100, thief.x), thief.signer),
      signSuccessor(successor(100, thief.x), { ...k3.signer, sign: (message) => thief.signer.sign(message) }),
      signSuccessor(successor(100, thief.x, { collectorId: filled(16, 0x32) }), k3.signer),
    ])
    for (const fork of forks) {
      for (const state of STATES.slice(1)) {
        for (const offer of [[fork], [fork, ...chain], [...chain, fork]]) {
          expect(onTheWay.has(name(led(state, offer)))).toBe(true)
        }
      }
    }
    // Who trusts that key still has no way to tell: what was stolen before anybody moved on is as good as the collector.
    expect(led(STATES[0] as TrustedCollector, [forks[0] as Uint8Array]).number).toBe(100)
  })

  it('does not take a statement of equal or lower number, by the right key', async () => {
    const newest = STATES.at(-1) as TrustedCollector
    for (const number of [1, 8, 9]) {
      const again = await signSuccessor(successor(number, random(32)), k3.signer)
      expect(name(led(newest, [again]))).toBe(END)
    }
  })

  it('is refused where it is no chain, before any statement of it is looked at', () => {
    const trusted = STATES[0] as TrustedCollector
    const offer = (bytes: Uint8Array) => outcomeOf(() => successorsOf(trusted, bytes, keyOf))
    expect(offer(encodeSuccession([]))).toBe('claims.malformed')
    expect(offer(concat(encodeSuccession(chain), Uint8Array.of(0)))).toBe('cbor.trailing-bytes')
    expect(offer(Uint8Array.of(0x01))).toBe('claims.malformed')
    expect(() => encodeSuccession(Array.from({ length: MAX_STATEMENTS + 1 }, () => Uint8Array.of(1)))).toThrow(
      RangeError,
    )
  })

  it('is read from any bytes without an end that nobody expects', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const found = outcomeOf(() => successorsOf(STATES[0] as TrustedCollector, bytes, keyOf))
        expect(found === undefined || /^(cbor|claims)\./.test(found)).toBe(true)
      }),
    )
  })
})
