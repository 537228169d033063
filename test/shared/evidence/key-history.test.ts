import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { ed25519Key, hash } from '../../../shared/crypto/node.ts'
import type { DeviceKey } from '../../../shared/evidence/evidence.ts'
import {
  decodeKeyHistory,
  encodeKeyHistory,
  keyInForceAt,
  keysAfter,
  keysAfterThumbprint,
  type KeyChain,
} from '../../../shared/evidence/key-history.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { RotatingKeys, strangeKey } from '../../support/rotating-keys.ts'

const keyOf = (x: Uint8Array): DeviceKey => ({
  key: ed25519Key(x),
  thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash),
})
const ids = ({ keys }: KeyChain): readonly string[] => keys.map(({ key }) => toHex(key.thumbprint))

/** Three rotations of the key, a day apart from each other. */
const DAY = 86_400
const rotating = new RotatingKeys()
const all = [rotating.current]
for (let n = 1; n <= 3; n++) all.push(await rotating.rotate(n * DAY))
const [k0, k1, k2, k3] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0], (typeof all)[0]]
const { history } = rotating
const KEYS = all.map(({ keyId }) => keyId)

describe('the history of a collector’s keys', () => {
  it('leads from any key of it to the newest one, over those between', () => {
    for (const [index, { x, signer }] of all.entries()) {
      expect(ids(keysAfter(x, history.statements, keyOf))).toEqual(KEYS.slice(index))
      expect(ids(keysAfterThumbprint(signer.keyId, history, keyOf) as KeyChain)).toEqual(KEYS.slice(index))
    }
    const chain = keysAfter(k1.x, history.statements, keyOf)
    expect(chain.keys.map(({ number, since, until }) => [number, since, until])).toEqual([
      [null, null, 2 * DAY],
      [2, 2 * DAY, 3 * DAY],
      [3, 3 * DAY, null],
    ])
    // What has led there leads there again, without the rest.
    expect(ids(keysAfter(k1.x, chain.statements, keyOf))).toEqual(ids(chain))
    expect(chain.statements).toHaveLength(2)
  })

  it('does not have the thumbprint of a stranger, nor of a first key that nobody knows any more', () => {
    expect(keysAfterThumbprint(strangeKey().signer.keyId, history, keyOf)).toBeUndefined()
    expect(keysAfterThumbprint(k0.signer.keyId, { ...history, first: null }, keyOf)).toBeUndefined()
    // Whoever begins with a key of his own gets no further than his own.
    const made = { first: strangeKey().x, statements: history.statements }
    expect(keysAfterThumbprint(k1.signer.keyId, made, keyOf)).toBeUndefined()
  })

  it('is not forked by a former key for who has gone on, whatever comes after what he knows', async () => {
    const thief = strangeKey()
    const fork = await rotating.statement(k0, thief, 9 * DAY, 100)
    expect(ids(keysAfter(k0.x, [...history.statements, fork], keyOf))).toEqual(KEYS)
    expect(ids(keysAfter(k1.x, [fork, ...history.statements], keyOf))).toEqual(KEYS.slice(1))
    const other = new RotatingKeys()
    const foreign = await other.statement(k3, thief, 9 * DAY, 100)
    expect(ids(keysAfter(k0.x, [...history.statements, foreign], keyOf))).toEqual(KEYS)
  })

  it('never leads anywhere else, in whatever order and however damaged it comes', () => {
    const statement = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...history.statements) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.nat(2), fc.nat(), fc.nat(7)).map(([index, at, bit]) => {
          const bytes = Uint8Array.from(history.statements[index] ?? [])
          const place = at % bytes.length
          bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
          return bytes
        }),
      },
    )
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 8 }), fc.nat(3), (offered, start) => {
        const from = all[start] ?? k0
        const chain = keysAfter(from.x, offered, keyOf)
        expect(KEYS.slice(start, start + chain.keys.length)).toEqual(ids(chain))
        // And nothing of it stands in the way of the whole.
        expect(ids(keysAfter(from.x, [...chain.statements, ...history.statements], keyOf))).toEqual(KEYS.slice(start))
      }),
    )
  })

  it('tells a former key from its time: not after the next one was named, but for the hour of a restart', () => {
    const chain = keysAfter(k0.x, history.statements, keyOf)
    const at = (keyId: Uint8Array, time: number) => keyInForceAt(chain, keyId, time)?.number
    expect(at(k0.signer.keyId, 0)).toBeNull()
    expect(at(k0.signer.keyId, DAY + 3600)).toBeNull()
    expect(at(k0.signer.keyId, DAY + 3601)).toBeUndefined()
    expect(at(k2.signer.keyId, 3 * DAY)).toBe(2)
    expect(at(k3.signer.keyId, 1000 * DAY)).toBe(3)
    expect(at(strangeKey().signer.keyId, 0)).toBeUndefined()
    expect(at(k0.signer.keyId, Number.NaN)).toBeUndefined()
  })

  it('is read back as it was written, and from no other bytes', () => {
    expect(decodeKeyHistory(encodeKeyHistory(history))).toEqual(history)
    expect(decodeKeyHistory(encodeKeyHistory({ first: null, statements: [] }))).toEqual({ first: null, statements: [] })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const found = outcomeOf(() => decodeKeyHistory(bytes))
        expect(found === undefined || /^(cbor|claims)\./.test(found)).toBe(true)
      }),
    )
    expect(() => encodeKeyHistory({ first: null, statements: Array.from({ length: 257 }, () => k0.x) })).toThrow(
      RangeError,
    )
  })
})
