import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { defaultCatalogue, digestOfCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { Catalogue } from '../../../shared/maturity/catalogue/schema.ts'
import { PRACTICE_IDS } from '../../../shared/maturity/practices.ts'
import { signalsOf } from '../../../shared/maturity/signals.ts'
import { expectDocument } from '../../support/documents.ts'
import { practicesPage } from '../../support/practices-page.ts'

describe('the catalogue that the product comes with', () => {
  test('has something that can support each practice', () => {
    for (const id of PRACTICE_IDS) {
      const documents = Object.values(defaultCatalogue.documents).filter(({ practices }) => practices[id] !== undefined)
      expect(signalsOf(id).length + documents.length, id).toBeGreaterThan(0)
    }
  })

  test('asks for documents where signals alone reach no level', () => {
    const bare = PRACTICE_IDS.filter((id) => signalsOf(id).length === 0)
    for (const id of bare) {
      const levels = Object.values(defaultCatalogue.documents).map(({ practices }) => practices[id]?.supports ?? 0)
      expect(Math.max(...levels), id).toBe(4)
    }
  })

  test('says something different of every level', () => {
    const words = PRACTICE_IDS.flatMap((id) => Object.values(defaultCatalogue.practices[id].levels))
    expect(new Set(words).size).toBe(18 * 4)
  })

  test('maps each practice to something, and each framework to practices', () => {
    const used = PRACTICE_IDS.flatMap((id) => Object.keys(defaultCatalogue.practices[id].mappings))
    expect([...new Set(used)].sort()).toEqual(Object.keys(defaultCatalogue.frameworks).sort())
    for (const id of PRACTICE_IDS) expect(defaultCatalogue.practices[id].mappings, id).not.toEqual({})
  })

  test('is what the documentation lists', () => {
    expectDocument('practices.md', practicesPage())
  })
})

describe('an amended catalogue', () => {
  const amend = (change: (catalogue: Catalogue) => void): Catalogue => {
    const copy = structuredClone(defaultCatalogue)
    change(copy)
    return copy
  }

  test('has another digest, whatever was changed', () => {
    const digests = [
      defaultCatalogue,
      amend((each) => (each.version = '1.1')),
      amend((each) => (each.practices['risk-attitude'].levels['2'] = 'Other words.')),
    ].map((each) => digestOfCatalogue(each, hash))
    expect(new Set(digests).size).toBe(3)
  })

  test.each<[string, (catalogue: Catalogue) => void, string]>([
    [
      'a document for longer than 24 months',
      ({ documents }) => Object.assign(documents['patch-policy'] ?? {}, { months: 25 }),
      'documents.patch-policy.months',
    ],
    [
      'a document that supports less than what asks for it',
      ({ documents }) => Object.assign(documents['patch-policy']?.practices['patch-management'] ?? {}, { supports: 1 }),
      'documents.patch-policy.practices.patch-management',
    ],
    [
      'no words for a level',
      ({ practices }) => (practices['risk-attitude'].levels['3'] = ''),
      'practices.risk-attitude.levels.3',
    ],
    [
      'a mapping to nothing',
      ({ practices }) => (practices['risk-attitude'].mappings['iso-1'] = ['1']),
      'practices.risk-attitude.mappings.iso-1',
    ],
    [
      'a practice less',
      ({ practices }) => delete (practices as Record<string, unknown>)['risk-attitude'],
      'practices.risk-attitude',
    ],
  ])('with %s is refused', (_, change, place) => {
    const { issues = [] } = v.safeParse(Catalogue, amend(change))
    expect(issues.map((issue) => v.getDotPath(issue))).toEqual([place])
  })
})
