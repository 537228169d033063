import { toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { decodeProfile, encodeProfile } from '../../../shared/maturity/profile-encoding.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lowered } from '../../../shared/decisions/profile.ts'
import { differencesOf } from '../../../shared/maturity/differences.ts'
import { SCOPES } from '../../../shared/maturity/levels.ts'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'
import { PRIORITIES, type ProfileDocument } from '../../../shared/maturity/profile.ts'
import { weakeningsOf } from '../../../shared/maturity/weakenings.ts'
import { profileOf, writtenProfile } from '../../support/profile.ts'

const practice = fc.record({
  target: fc.record({ level: fc.integer({ min: 1, max: 4 }), scope: fc.constantFrom(...SCOPES) }),
  priority: fc.constantFrom(...PRIORITIES),
})
const profile: fc.Arbitrary<ProfileDocument> = fc
  .dictionary(fc.constantFrom(...PRACTICE_IDS.slice(0, 4)), practice, { minKeys: 1, noNullPrototype: true })
  .map((practices) => profileOf({ practices, limitations: [], assumptions: [] }))

const targetsOf = ({ practices }: ProfileDocument) =>
  Object.fromEntries(Object.entries(practices).map(([id, { target }]) => [id, target]))

const [limitation] = writtenProfile.limitations

describe('what a later profile leaves to the agent', () => {
  const limits = (agent?: object) => profileOf({ limitations: [{ ...limitation, ...(agent && { agent }) }] })
  const paths = (was?: object, is?: object) => weakeningsOf(limits(was), limits(is)).map(({ path }) => path)

  test.each([
    [undefined, { memoryMiB: 160, cpuPercent: 50 }],
    [
      { memoryMiB: 200, cpuPercent: 20 },
      { memoryMiB: 300, cpuPercent: 10 },
    ],
  ])('is a weakening where it is less: %j, %j', (was, is) => {
    expect(paths(was, is)).toEqual(['limitations.no-hot-patch.agent'])
    expect(paths(is, was)).toEqual(was === undefined ? [] : ['limitations.no-hot-patch.agent'])
  })

  test('is none where it is as much as its unit has it, or more, or a tight limit is gone', () => {
    expect(paths(undefined, { memoryMiB: 224, cpuPercent: 50 })).toEqual([])
    expect(paths({ memoryMiB: 160, cpuPercent: 10 }, { memoryMiB: 161, cpuPercent: 10 })).toEqual([])
    expect(paths({ memoryMiB: 160, cpuPercent: 10 })).toEqual([])
    expect(paths({ memoryMiB: 300, cpuPercent: 60 })).toEqual(['limitations.no-hot-patch.agent'])
  })

  test('changes no digest of a profile that says nothing of it', () => {
    expect(toHex(encodeProfile(limits()))).not.toContain(toHex(utf8('memoryMiB')))
    const said = limits({ memoryMiB: 160, cpuPercent: 10 })
    expect(decodeProfile(encodeProfile(said))).toEqual(said)
  })
})

describe('what a later profile guarantees less of', () => {
  test('is nothing where nothing was changed, and something on one side of each difference', () => {
    fc.assert(
      fc.property(profile, profile, (a, b) => {
        expect(weakeningsOf(a, a)).toEqual([])
        const isOther = differencesOf(a, b).length > 0
        expect(weakeningsOf(a, b).length + weakeningsOf(b, a).length > 0).toBe(isOther)
      }),
    )
  })

  test('has every practice that the decision log calls lowered', () => {
    fc.assert(
      fc.property(profile, profile, (a, b) => {
        const told = new Set(weakeningsOf(a, b).map(({ path }) => path.split('.')[1] as PracticeId))
        for (const id of lowered(targetsOf(a), targetsOf(b))) expect(told).toContain(id)
      }),
    )
  })

  const patch = writtenProfile.practices['patch-management']
  const withPatch = (over: object) => ({
    practices: { ...writtenProfile.practices, 'patch-management': { ...patch, ...over } },
  })
  const easier = { slo: { 'patch.supported-release': { targetPermille: 900 } } }
  test.each<[string, object, object, string]>([
    ['a new limitation', { limitations: [] }, {}, 'limitations.no-hot-patch'],
    [
      'a limitation that nothing makes up for any more',
      {},
      { limitations: [{ ...limitation, compensation: null }] },
      'limitations.no-hot-patch.compensation',
    ],
    [
      'a limitation that leaves devices without fixes',
      {},
      { limitations: [{ ...limitation, unpatched: { hardware: ['A'] } }] },
      'limitations.no-hot-patch.unpatched',
    ],
    [
      'a limitation that leaves more of them without',
      { limitations: [{ ...limitation, unpatched: { hardware: ['A'], packages: ['linux'] } }] },
      { limitations: [{ ...limitation, unpatched: { hardware: ['A'] } }] },
      'limitations.no-hot-patch.unpatched',
    ],
    [
      'a limitation of more practices',
      {},
      { limitations: [{ ...limitation, practices: ['patch-management', 'access-control'] }] },
      'limitations.no-hot-patch.practices',
    ],
    [
      'a limitation that customers do not see any more',
      {},
      { limitations: [{ ...limitation, public: false }] },
      'limitations.no-hot-patch.public',
    ],
    ['more that is taken for granted', { assumptions: [] }, {}, 'assumptions.no-password-login'],
    ['fewer practices that count', {}, { countsFrom: 'must' }, 'countsFrom'],
    [
      'an easier objective than the default',
      {},
      withPatch(easier),
      'practices.patch-management.slo.patch.supported-release',
    ],
    [
      'a harder objective that is taken back',
      withPatch({ slo: { 'patch.release-age': { target: 30 } } }),
      {},
      'practices.patch-management.slo.patch.release-age',
    ],
    [
      'a document that is asked for no more',
      withPatch({ documents: ['patch-policy'] }),
      {},
      'practices.patch-management.documents',
    ],
    ['a weaker priority', {}, withPatch({ priority: 'may' }), 'practices.patch-management.priority'],
  ])('is %s', (_, before, after, path) => {
    const [was, is] = [profileOf(before), profileOf(after)]
    expect(weakeningsOf(was, is)).toEqual([{ path, message: expect.any(String) as string }])
    expect(weakeningsOf(is, was)).toEqual([])
  })
})
