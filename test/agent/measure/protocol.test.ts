import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRequest, encodeRequest, MAX_REQUEST_BYTES, PROBE_IDS } from '../../../agent/measure/protocol.ts'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import type { CborValue } from '../../../shared/cbor/value.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { outcomeOf } from '../../support/outcome.ts'

const request = (...entries: [string, CborValue][]): Uint8Array => encodeCbor(new Map(entries))
const refusal = (bytes: Uint8Array) => outcomeOf(() => decodeRequest(bytes))

describe('a request', () => {
  test.each(PROBE_IDS)('for %s is read as it was written, and fits', (probe) => {
    const bytes = encodeRequest(probe)
    expect(decodeRequest(bytes)).toBe(probe)
    expect(bytes.length).toBeLessThanOrEqual(MAX_REQUEST_BYTES)
  })

  test.each([
    ['for what is no probe', request(['version', 1], ['probe', 'shadow'])],
    ['for a name that every object has', request(['version', 1], ['probe', 'constructor'])],
    ['with a path', request(['version', 1], ['probe', 'firmware-log'], ['path', '/etc/shadow'])],
    ['of another version', request(['version', 2], ['probe', 'sections'])],
    ['without a version', request(['probe', 'sections'])],
    ['that is a list', encodeCbor(['sections'])],
  ])('%s is refused', (_, bytes) => {
    expect(refusal(bytes)).toBe('section.malformed')
  })

  test('that is too large is refused, whatever it says', () => {
    expect(refusal(new Uint8Array(MAX_REQUEST_BYTES + 1))).toBe('cbor.too-large')
  })

  test('of any bytes is refused, or is the one spelling of a probe', () => {
    const near = fc.tuple(fc.constantFrom(...PROBE_IDS), fc.nat(64), fc.nat(255)).map(([probe, at, value]) => {
      const bytes = encodeRequest(probe)
      bytes[at % bytes.length] = value
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        try {
          expect(encodeRequest(decodeRequest(bytes))).toEqual(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(OutcomeError)
        }
      }),
    )
  })
})
