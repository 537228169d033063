import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import { field } from '../../../shared/cbor/fields.ts'
import { boundedState, MAX_STATE_ENTRIES, readState, stateToCbor } from '../../../shared/evidence/state.ts'

const received = (state: ReturnType<typeof boundedState>) =>
  readState(field(decodeCbor(encodeCbor(stateToCbor(state))), 'claims.malformed', 'state'))

test('whatever sensors tell, a collector takes what is left of it', () => {
  const value = fc.oneof(fc.double(), fc.integer(), fc.boolean(), fc.string({ unit: 'binary', maxLength: 600 }))
  const name = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 100 }), (entries) => {
      const state = boundedState(entries)
      expect(received(state)).toEqual(state)
    }),
  )
})

test('what does not fit is what comes last', () => {
  const entries = Array.from({ length: MAX_STATE_ENTRIES + 9 }, (_, index) => [`x.${index}`, index] as const)
  expect([...boundedState(entries).keys()]).toEqual(entries.slice(0, MAX_STATE_ENTRIES).map(([name]) => name))
})

test('a text is cut at a character, a fraction is left out', () => {
  expect([
    ...boundedState([
      ['a', 'ä€'.repeat(200)],
      ['b', 0.5],
    ]),
  ]).toEqual([['a', 'ä€'.repeat(51)]])
})
