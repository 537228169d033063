import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lintProfile, writeProfile } from '../../../collector/maturity/profile-file.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { digestOfProfile } from '../../../shared/maturity/profile-encoding.ts'
import { profileOf } from '../../support/profile.ts'
import { anyProfile } from '../../support/profile-arbitrary.ts'

describe('a profile file', () => {
  test('that was written is read as the same profile', () => {
    fc.assert(
      fc.property(anyProfile, (document) => {
        const { document: read } = lintProfile(writeProfile(document), defaultCatalogue)
        expect(read === undefined ? undefined : digestOfProfile(read, hash)).toBe(digestOfProfile(document, hash))
      }),
      { numRuns: 50 },
    )
  })

  test('with any part cut out or doubled is a profile, or has mistakes with places; never anything else', () => {
    const text = writeProfile(profileOf())
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(60), fc.boolean(), (start, length, doubled) => {
        const part = text.slice(start, start + length)
        const changed = text.slice(0, start) + (doubled ? part + part : '') + text.slice(start + length)
        const { document, mistakes } = lintProfile(changed, defaultCatalogue)
        if (document === undefined) expect(mistakes.length).toBeGreaterThan(0)
        for (const { line, column } of mistakes) {
          expect(line).toBeGreaterThan(0)
          expect(line).toBeLessThanOrEqual(changed.split('\n').length)
          expect(column).toBeGreaterThan(0)
        }
      }),
    )
  })

  test('of whatever text never ends in anything but mistakes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const { document, mistakes } = lintProfile(text, defaultCatalogue)
        expect([document, mistakes.length > 0]).toEqual([undefined, true])
      }),
    )
  })
})
