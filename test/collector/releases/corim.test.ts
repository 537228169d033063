import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCorim, releaseOfCorim } from '../../../collector/releases/corim/read.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { codeOf } from '../../support/keepseal-error.ts'
import { NOW } from './support.ts'

/** CBOR as other tools write it: what is given, in the order in which it is given. */
type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<number | string, Cbor> | Tagged
class Tagged {
  readonly tag: number
  readonly value: Cbor
  constructor(tag: number, value: Cbor) {
    this.tag = tag
    this.value = value
  }
}
const head = (major: number, value: number): Buffer => {
  if (value < 24) return Buffer.from([(major << 5) | value])
  if (value < 256) return Buffer.from([(major << 5) | 24, value])
  const long = Buffer.alloc(5, (major << 5) | 26)
  long.writeUInt32BE(value, 1)
  return long
}
function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Tagged) return Buffer.concat([head(6, value.tag), cbor(value.value)])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...(value as Cbor[]).map(cbor)])
  const entries = [...(value as ReadonlyMap<number | string, Cbor>)]
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, each]) => [cbor(key), cbor(each)])])
}
const map = (...entries: (readonly [number | string, Cbor])[]) => new Map(entries)

const PRODUCT = { vendor: 'Acme', model: 'Gate 7' }
const sha256 = (fill: number) => [1, new Uint8Array(32).fill(fill)] as const
const aClass = map([0, map([0, new Tagged(37, new Uint8Array(16))], [1, 'Acme'], [2, 'Gate 7'])])
const measurement = (key: number | string, ...digests: Cbor[]) => map([0, key], [1, map([2, digests])])
const comid = (triples: Cbor, over: readonly (readonly [number, Cbor])[] = []) =>
  map([1, map([0, 'gate-7'])], [2, [map([0, 'Acme'], [2, [0]])]], [4, triples], ...over)
const corim = (tag: Cbor, over: readonly (readonly [number, Cbor])[] = []) =>
  cbor(new Tagged(501, map([0, 'corim-1'], [1, [new Tagged(506, cbor(tag))]], ...over)))
const corimOf = (...measurements: Cbor[]) => corim(comid(map([0, [[aClass, measurements]]])))
const read = (bytes: Uint8Array) => readCorim(bytes, PRODUCT, NOW)

describe('a CoRIM', () => {
  it('gives the values of PCRs by their index and by integrity registers, and of named events', () => {
    const registers = map([1, map([14, map([7, [sha256(7)]])])])
    const sha384 = [7, new Uint8Array(48).fill(9)] as const
    const bytes = corimOf(measurement(4, sha256(2), sha256(1), sha384), registers, measurement('separator', sha256(3)))
    const values = read(bytes)
    const hex = (fill: number, size = 32) => fill.toString(16).padStart(2, '0').repeat(size)
    expect(values.pcrs).toEqual([
      { bank: 'sha256', pcr: 4, values: [hex(1), hex(2)] },
      { bank: 'sha384', pcr: 4, values: [hex(9, 48)] },
      { bank: 'sha256', pcr: 7, values: [hex(7)] },
    ])
    expect(values.namedEvents).toEqual([{ bank: 'sha256', name: 'separator', digests: [hex(3)] }])
    expect(values.notes).toContain('by Acme')
    const base = {
      version: 1,
      product: PRODUCT,
      name: '1',
      sections: {},
      boot: { pcrs: [], namedEvents: [], tpmFirmware: [], notJudged: [4, 5] },
    } as const
    const file = releaseOfCorim(values, { product: PRODUCT, name: '2' }, structuredClone(base) as never)
    expect(file).toMatchObject({ name: '2', boot: { notJudged: [5] } })
  })

  it.each([
    [
      'an extra key of the manifest',
      corim(comid(map([0, [[aClass, [measurement(1, sha256(1))]]]])), [[3, 'profile']]),
      'corim: the key 3',
    ],
    [
      'an endorsed triple',
      corim(comid(map([0, [[aClass, [measurement(1, sha256(1))]]]], [1, []]))),
      'triples: the key 1',
    ],
    ['an unknown algorithm', corimOf(measurement(1, [8, new Uint8Array(64)])), 'digests[0][0]'],
    ['a digest of another size', corimOf(measurement(1, [1, new Uint8Array(31)])), 'digests[0][1]: 32 bytes wanted'],
    ['a PCR that there is not', corimOf(measurement(24, sha256(1))), 'key: 0 to 23 wanted'],
    ['a version', corimOf(map([0, 1], [1, map([0, map([0, '1.0'])], [2, [sha256(1)]])])), 'value: the key 0'],
    ['digests of nobody knows what', corimOf(map([1, map([2, [sha256(1)]])])), 'digests without a key'],
    [
      'an integrity register of another kind',
      corimOf(map([1, map([14, map(['my-ir', [sha256(1)]])])])),
      'my-ir: 0 to 23 wanted',
    ],
    [
      'another product',
      corim(comid(map([0, [[map([0, map([1, 'Other'])]), [measurement(1, sha256(1))]]]]))),
      'vendor: it is of Other',
    ],
    [
      'one instance',
      corim(
        comid(
          map([
            0,
            [[map([0, map([1, 'Acme'])], [1, new Tagged(550, new Uint8Array(33))]), [measurement(1, sha256(1))]]],
          ]),
        ),
      ),
      'the key 1',
    ],
    [
      'an end that has passed',
      corim(comid(map([0, [[aClass, [measurement(1, sha256(1))]]]])), [[4, map([1, new Tagged(1, 1_500_000_000)])]]),
      'not valid any more',
    ],
    [
      'a CoSWID',
      cbor(new Tagged(501, map([0, 'x'], [1, [new Tagged(505, new Uint8Array(1))]]))),
      'tags[0]: tag 506 wanted',
    ],
    [
      'a signature',
      cbor(new Tagged(18, [new Uint8Array(), map(), new Uint8Array(), new Uint8Array()])),
      'it is signed',
    ],
  ])('with %s is refused with its place', (_, bytes, place) => {
    expect(() => read(bytes)).toThrow(place)
    expect(codeOf(() => read(bytes))).toBe('release.invalid')
  })

  it('that is damaged is refused, or read as what it says, and never breaks the reader', () => {
    const good = corimOf(measurement(4, sha256(2)), measurement('separator', sha256(3)))
    const damage = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255), cut: fc.boolean() })
    fc.assert(
      fc.property(damage, ({ at, byte, cut }) => {
        const bytes = new Uint8Array(cut ? good.subarray(0, at) : good)
        if (!cut) bytes[at] = byte
        try {
          read(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(KeepsealError)
        }
      }),
    )
  })

  it('with a key twice, without an end, or nested without end, is refused', () => {
    expect(codeOf(() => read(cbor(new Tagged(501, map())).fill(0xa2, 3)))).toBe('release.invalid')
    const twice = Buffer.concat([head(6, 501), Buffer.from([0xa2, 0, 0, 0, 0])])
    expect(() => read(twice)).toThrow('twice')
    expect(codeOf(() => read(Buffer.concat([head(6, 501), Buffer.from([0xbf, 0xff])])))).toBe('release.invalid')
    expect(codeOf(() => read(Buffer.alloc(1000, 0x81)))).toBe('release.invalid')
    expect(codeOf(() => read(Buffer.from([0x9a, 0xff, 0xff, 0xff, 0xff])))).toBe('release.invalid')
  })
})
