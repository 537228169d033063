import { describe, expect, it } from 'vitest'
import { field } from '../../../shared/cbor/fields.ts'
import { CborTag, type CborValue } from '../../../shared/cbor/value.ts'
import { outcomeOf } from '../../support/outcome.ts'

const of = (value: CborValue) => field(value, 'claims.malformed', 'claims')

describe('a field', () => {
  it('reads what is there', () => {
    const map = of(
      new Map<number | string, CborValue>([
        [1, 7],
        [2, Uint8Array.of(1, 2)],
        [3, 'text'],
        [4, true],
        [5, [1, 2]],
        [6, new CborTag(18, 'inner')],
        [7, null],
        [8, -3],
        [9, 1n << 60n],
        [10, new Map([['a', 1]])],
      ]),
    )
    expect(map.at(1).uint()).toBe(7)
    expect(map.at(2).bytes({ length: 2 })).toEqual(Uint8Array.of(1, 2))
    expect(map.at(3).text({ max: 4 })).toBe('text')
    expect(map.at(3).oneOf(['other', 'text'])).toBe('text')
    expect(map.at(4).boolean()).toBe(true)
    expect(
      map
        .at(5)
        .array({ max: 2 })
        .map((item) => item.uint()),
    ).toEqual([1, 2])
    expect(map.at(6).tagged(18).text({})).toBe('inner')
    expect(map.at(7).nullable()).toBeNull()
    expect(map.at(8).integer()).toBe(-3)
    expect(map.at(9).uint64()).toBe(1n << 60n)
    expect(
      map
        .at(10)
        .entries({ max: 1 })
        .map(([key, item]) => [key, item.uint()]),
    ).toEqual([['a', 1]])
    expect(map.maybe(11)).toBeUndefined()
    const [first, second] = map.at(5).tuple('first', 'second')
    expect([first.uint(), second.uint()]).toEqual([1, 2])
  })

  it.each<[string, () => unknown]>([
    ['a missing key', () => of(new Map()).at(1)],
    ['a number for bytes', () => of(1).bytes({})],
    ['bytes of another length', () => of(new Uint8Array(31)).bytes({ length: 32 })],
    ['too few bytes', () => of(new Uint8Array(7)).bytes({ min: 8 })],
    ['too many bytes', () => of(new Uint8Array(65)).bytes({ min: 8, max: 64 })],
    ['bytes for text', () => of(new Uint8Array(1)).text({})],
    ['too long a text', () => of('abc').text({ max: 2 })],
    ['a text outside of the choice', () => of('c').oneOf(['a', 'b'])],
    ['a negative number for an unsigned one', () => of(-1).uint()],
    ['a negative number even if the bounds allow it', () => of(-1).uint({ min: -5 })],
    ['a number above the bound', () => of(11).uint({ max: 10 })],
    ['a bigint for an integer', () => of(1n << 60n).integer()],
    ['a negative number of 64 bits', () => of(-(1n << 60n)).uint64()],
    ['0 for false', () => of(0).boolean()],
    ['null for a boolean', () => of(null).boolean()],
    ['a map for an array', () => of(new Map()).array({})],
    ['too many items', () => of([1, 2]).array({ max: 1 })],
    ['an array with an item too few', () => of([1]).tuple('a', 'b')],
    ['an array with an item too many', () => of([1, 2, 3]).tuple('a', 'b')],
    ['bytes for an array', () => of(new Uint8Array(2)).tuple('a', 'b')],
    ['an array for a map', () => of([]).at(0)],
    [
      'a key that is not known',
      () =>
        of(
          new Map([
            [1, 1],
            [2, 2],
          ]),
        ).requireOnly([1]),
    ],
    ['another tag', () => of(new CborTag(17, 1)).tagged(18)],
  ])('refuses %s', (_fault, read) => {
    expect(outcomeOf(read)).toBe('claims.malformed')
  })

  it('names the path to the fault', () => {
    const value = new Map([[256, [1, new Map([['inner', 'x']])]]])
    const inner = () => of(value).at(256, 'ueid').array({}).at(1)?.at('inner').bytes({})
    expect(inner).toThrow('claims.ueid.1.inner: byte string wanted, string found')
  })
})
