import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memberOf, productName, widened } from '../../../shared/decisions/products.ts'
import { certificate, certified, approveProfile, DecidingPeople } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

const device = { vendor: 'Acme', model: 'Gate 7', hardwareRevision: 'B2', release: '2.4.1' }
const listed = certified('Acme/Gate 7', true, { hardwareRevisions: ['B*', 'C1'], firmwareLines: ['2.*'] })

describe('a device', () => {
  test.each([
    ['is the listed product', {}, listed],
    ['of another model is not covered', { model: 'Gate 8' }, 'product-not-listed'],
    ['of another vendor is not covered', { vendor: 'Other' }, 'product-not-listed'],
    ['of another hardware revision is not covered', { hardwareRevision: 'A9' }, 'hardware-not-listed'],
    ['whose hardware nobody named is not covered', { hardwareRevision: null }, 'hardware-not-listed'],
    ['whose release nobody knows is not covered', { release: null }, 'release-unknown'],
    ['of another firmware line is not covered', { release: '3.0.0' }, 'release-not-listed'],
  ])('%s', (_, over, expected) => {
    expect(memberOf([certified('Acme/Gate'), listed], { ...device, ...over })).toBe(expected)
  })

  test('of a vendor whose name has a slash is never taken for another product', () => {
    const posing = { ...device, vendor: 'Acme/Gate', model: '7' }
    expect(productName(posing)).toBe('Acme/Gate/7')
    expect(memberOf([certified('Acme/Gate/7')], posing)).toBe('product-not-listed')
    expect(memberOf([certified('Acme/Gate/7')], { ...posing, vendor: 'Acme', model: 'Gate/7' })).toMatchObject({
      product: 'Acme/Gate/7',
    })
  })
})

describe('the products of a draft', () => {
  const drafted = async (over: object) => {
    const people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    const draft = people.decide(people.certifier, 'certificate.draft', 'crt_1', certificate(people, over))
    return (await refusalOf(draft)).code
  }

  test.each([
    ['are represented by one of several', { products: [certified('A/1'), certified('A/2')] }],
    ['are not represented by two', { products: [certified('A/1', true), certified('A/2', true)] }],
    ['have a line when they are several', { line: null }],
    ['have their vendor', { products: [certified('1', true)] }],
    ['say their revisions', { products: [certified('A/1', true, { hardwareRevisions: [] })] }],
    ['say why they belong', { products: [certified('A/1', true, { rationale: ' ' })] }],
  ])('%s', async (_, over) => {
    expect(await drafted(over)).toBe('log.malformed')
  })
})

const PATTERNS = ['*', 'A*', 'A?', 'A1', 'A2', 'B1']
const anyProducts = fc
  .uniqueArray(
    fc.record({
      product: fc.constantFrom('V/1', 'V/2'),
      hardwareRevisions: fc.subarray(PATTERNS, { minLength: 1 }),
      firmwareLines: fc.subarray(PATTERNS, { minLength: 1 }),
    }),
    { selector: ({ product }) => product, minLength: 1 },
  )
  .map((all) => all.map(({ product, ...over }) => certified(product, false, over)))

test('what is not wider covers no device that was not covered before', () => {
  const devices = ['1', '2', '3'].flatMap((model) =>
    ['A1', 'A2', 'A', 'B1', 'C'].flatMap((hardwareRevision) =>
      ['A1', 'A22', 'B1', 'x'].map((release) => ({ vendor: 'V', model, hardwareRevision, release })),
    ),
  )
  fc.assert(
    fc.property(anyProducts, anyProducts, (before, after) => {
      if (widened(before, after).length > 0) return
      for (const each of devices) {
        if (typeof memberOf(after, each) === 'object') expect(memberOf(before, each)).toBeTypeOf('object')
      }
    }),
    { numRuns: 2000 },
  )
  expect(
    widened([listed], [certified('Acme/Gate 7', true, { hardwareRevisions: ['B7'], firmwareLines: ['2.*'] })]),
  ).toEqual([])
  expect(
    widened([listed], [certified('Acme/Gate 7', true, { hardwareRevisions: ['*'], firmwareLines: ['2.*'] })]),
  ).toEqual(['Acme/Gate 7 *'])
})
