import * as fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { ProfileDocument } from '../../../shared/maturity/profile.ts'
import { decodeProfile, digestOfProfile, encodeProfile } from '../../../shared/maturity/profile-encoding.ts'
import { codeOf } from '../../support/keepseal-error.ts'
import { profileOf, writtenProfile } from '../../support/profile.ts'
import { anyProfile } from '../../support/profile-arbitrary.ts'

describe('the encoding of a profile', () => {
  test('is read back as the same profile, with the same digest', () => {
    fc.assert(
      fc.property(anyProfile, (document) => {
        const read = decodeProfile(encodeProfile(document))
        expect(digestOfProfile(read, hash)).toBe(digestOfProfile(document, hash))
        expect(new Set(Object.keys(read.practices))).toEqual(new Set(Object.keys(document.practices)))
      }),
    )
  })

  test('does not depend on the order in which a person wrote it', () => {
    fc.assert(
      fc.property(anyProfile, (document) => {
        const turned = {
          ...Object.fromEntries(Object.entries(document).reverse()),
          practices: Object.fromEntries(Object.entries(document.practices).reverse()),
          limitations: [...document.limitations].reverse(),
        }
        expect(encodeProfile(v.parse(ProfileDocument, turned))).toEqual(encodeProfile(document))
      }),
    )
  })

  test('differs as soon as anything is said otherwise', () => {
    const digest = (over: object) => digestOfProfile(profileOf(over), hash)
    const digests = [
      digest({}),
      digest({ version: 2 }),
      digest({ title: 'Gate 8' }),
      digest({ limitations: [] }),
      digest({ review: { everyDays: 181 } }),
      digest({ countsFrom: 'must' }),
    ]
    expect(new Set(digests).size).toBe(digests.length)
  })

  test('in any other form is refused', () => {
    const bytes = encodeProfile(profileOf())
    expect(codeOf(() => decodeProfile(bytes.subarray(0, -1)))).toBe('profile.invalid')
    expect(codeOf(() => decodeProfile(encodeCbor(null)))).toBe('profile.invalid')
    expect(codeOf(() => decodeProfile(encodeCbor(new Map([['schema', 1]]))))).toBe('profile.invalid')
  })

  test('of bytes that anybody made up is refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(() => decodeProfile(bytes))).toBe('profile.invalid')
      }),
    )
  })
})

describe('a profile is refused with', () => {
  const first = { target: { level: 3, scope: 'system' }, priority: 'must' }
  test.each<[string, object, string]>([
    [
      'a practice that the model does not have',
      { practices: { 'patch-managment': first } },
      'practices.patch-managment',
    ],
    ['no practice', { practices: {} }, 'practices'],
    [
      'a level above 4',
      { practices: { 'patch-management': { ...first, target: { level: 5, scope: 'system' } } } },
      'practices.patch-management.target.level',
    ],
    [
      'half a level',
      { practices: { 'patch-management': { ...first, target: { level: 2.5, scope: 'system' } } } },
      'practices.patch-management.target.level',
    ],
    ['two limitations of one id', { limitations: [0, 1].map(() => writtenProfile.limitations[0]) }, 'limitations'],
    ['a misspelt field', { sumary: 'x' }, 'sumary'],
    ['a review that never comes', { review: { everyDays: 0 } }, 'review.everyDays'],
    ['a title that a terminal would obey', { title: 'a\u001b[2J' }, 'title'],
  ])('%s', (_, over, place) => {
    const { issues = [] } = v.safeParse(ProfileDocument, { ...writtenProfile, ...over })
    expect(issues.map((issue) => v.getDotPath(issue))).toEqual([place])
  })
})
