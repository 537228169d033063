import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonMembers } from '../../../shared/advisories/json-members.ts'

const membersOf = async (pieces: readonly string[], most = 1_000_000): Promise<[string, unknown][]> => {
  const members: [string, unknown][] = []
  for await (const { name, value } of jsonMembers(pieces, most)) members.push([name, value])
  return members
}

const inPieces = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size))

describe('the members of a large object of JSON', () => {
  it('are those that it has, wherever the pieces of its text end', () =>
    fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.nat({ max: 20 }),
        fc.constantFrom(undefined, 1),
        async (object, size, indent) => {
          const text = JSON.stringify(object, null, indent)
          const plain = JSON.parse(text) as Record<string, unknown>
          expect(Object.fromEntries(await membersOf(inPieces(text, size + 1)))).toEqual(plain)
        },
      ),
    ))

  it('of a text that is cut off anywhere are refused', () =>
    fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (object, share) => {
          const text = JSON.stringify(object)
          await expect(membersOf([text.slice(0, Math.floor(text.length * share))])).rejects.toMatchObject({
            code: 'advisory.malformed',
          })
        },
      ),
    ))

  it.each([
    ['two of one name', '{"a":1,"a":2}'],
    ['something after the end', '{"a":1}{'],
    ['a list', '[1]'],
    ['nothing', ''],
    ['a comma too many', '{"a":1,}'],
    ['no value', '{"a"}'],
    ['no name', '{1:2}'],
    ['brackets that do not fit', '{"a":[}]'],
    ['a list that ends first', '{"a":1]}'],
    ['a value that is none', '{"a":nope}'],
  ])('are not read from a text with %s', async (_, text) => {
    await expect(membersOf([text])).rejects.toMatchObject({ code: 'advisory.malformed' })
  })

  it('that are longer than they may are refused before they are whole', async () => {
    await expect(membersOf(['{"a":"', 'x'.repeat(200), 'x'.repeat(200)], 100)).rejects.toMatchObject({
      code: 'advisory.too-large',
    })
    await expect(membersOf(['{"a":"' + 'x'.repeat(200) + '"}'], 100)).rejects.toMatchObject({
      code: 'advisory.too-large',
    })
  })
})
