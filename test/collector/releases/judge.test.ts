import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeReleases } from '../../../collector/releases/judge.ts'
import { MAX_COMPARED, releaseSet, releaseSetKey, type Standing } from '../../../collector/releases/release-set.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { packagesWith, socketsWith, type Readings } from '../../support/software-device.ts'
import { candidate, measured, NOW, release } from './support.ts'

const readings = (sockets: number, packages: number): Readings => ({
  sockets: socketsWith(sockets),
  packages: packagesWith(`${packages}.0`, '2.0'),
})
const codesOf = (candidates: Parameters<typeof judgeReleases>[0], device: Readings) =>
  judgeReleases(candidates, measured(device), hash).deviations.map(({ code, subject }) => `${code} ${subject}`)

describe('of several releases', () => {
  const standing = fc.constantFrom<Standing>('accepted', 'closed', 'below-minimum', 'revoked')
  const state = fc.tuple(fc.constantFrom(22, 443, 8080), fc.constantFrom(1, 2, 3))

  it('the same is concluded in whatever order they come', () => {
    const set = fc.array(fc.tuple(state, standing), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(set, state, fc.infiniteStream(fc.nat()), (drawn, device, order) => {
        const candidates = drawn.map(([of, at], index) => candidate(index + 1, readings(...of), at))
        const shuffled = candidates
          .map((each) => ({ each, key: order.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each)
        const reported = measured(readings(...device))
        expect(judgeReleases(shuffled, reported, hash)).toEqual(judgeReleases(candidates, reported, hash))
      }),
    )
  })

  it('a device is good exactly if all of it is of one that is accepted', () => {
    const set = fc.array(fc.tuple(state, standing), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(set, state, (drawn, device) => {
        const candidates = drawn.map(([of, at], index) => candidate(index + 1, readings(...of), at))
        const isOf = drawn.some(([of, at]) => at === 'accepted' && of.join() === device.join())
        const { deviations, conformsTo } = judgeReleases(candidates, measured(readings(...device)), hash)
        expect(deviations.length === 0).toBe(isOf)
        if (isOf) expect(conformsTo?.standing).toBe('accepted')
      }),
    )
  })

  it('a mixture is one finding, which names the parts of each', () => {
    const candidates = [candidate(1, readings(22, 1)), candidate(2, readings(443, 2))]
    const { deviations } = judgeReleases(candidates, measured(readings(443, 1)), hash)
    expect(deviations).toMatchObject([{ code: 'release.mixture', after: 'sockets of 2; packages of 1' }])
  })

  it('what belongs to none is told beside the mixture', () => {
    const candidates = [
      candidate(1, { ...readings(22, 1), system: { status: 'not-supported', reason: 'no-procfs' } }),
      candidate(2, { ...readings(443, 2), system: { status: 'not-supported', reason: 'no-procfs' } }),
    ]
    const device: Readings = { ...readings(443, 1), system: { status: 'failed', code: 'sensor-fault' } }
    expect(codesOf(candidates, device)).toEqual(['release.mixture release', 'agent.sensor-failed system'])
    expect(judgeReleases(candidates, measured(device), hash).decided).not.toContain('system')
  })

  it('a section that no release names is not let pass, and one that is not reported is not taken for empty', () => {
    const alone: Readings = { sockets: socketsWith(22) }
    expect(codesOf([candidate(1, alone)], readings(22, 1))).toEqual(['reporting.section-status-changed packages'])
    expect(codesOf([candidate(1, readings(22, 1))], alone)).toEqual(['reporting.section-status-changed packages'])
  })

  it('nothing is concluded of content that is not here', () => {
    const device = measured(readings(22, 1))
    const without = { ...device, section: () => 'missing' as const }
    const judgement = judgeReleases([candidate(1, readings(22, 1))], without, hash)
    expect(judgement).toMatchObject({ conformsTo: null, isWhole: false, contentMissing: true, deviations: [] })
  })
})

describe('the standing of releases', () => {
  const ranked = (order: number, over = {}) =>
    release({ id: `rel_${order}`, name: String(order), order, activatedAt: NOW + order, ...over })
  const standings = (set: ReturnType<typeof releaseSet>) => set.map((each) => [each.release.order, each.standing])

  it('follows stored times alone', () => {
    const first = ranked(1, { supersededAt: NOW + 2, acceptedUntil: NOW + 10 })
    const second = ranked(2)
    expect(standings(releaseSet([first, second], NOW))).toEqual([])
    expect(standings(releaseSet([first, second], NOW + 1))).toEqual([[1, 'accepted']])
    expect(standings(releaseSet([second, first], NOW + 9))).toEqual([
      [2, 'accepted'],
      [1, 'accepted'],
    ])
    expect(standings(releaseSet([first, second], NOW + 10))).toEqual([
      [2, 'accepted'],
      [1, 'closed'],
    ])
  })

  it('changes its key at the closing date, and at no other time', () => {
    const releases = [ranked(1, { supersededAt: NOW + 2, acceptedUntil: NOW + 10 }), ranked(2)]
    const keys = [2, 5, 9, 10, 11].map((after) => releaseSetKey(releaseSet(releases, NOW + after)))
    expect(keys.map((key) => key === keys[0])).toEqual([true, true, true, false, false])
  })

  it('gives up the minimum with the release that set it', () => {
    const first = ranked(1, { supersededAt: NOW + 2, acceptedUntil: NOW + 100 })
    const set = [first, ranked(2, { isMinimum: true })]
    expect(standings(releaseSet(set, NOW + 3))).toEqual([
      [2, 'accepted'],
      [1, 'below-minimum'],
    ])
    const revoked = [first, ranked(2, { isMinimum: true, revokedAt: NOW + 4 })]
    expect(standings(releaseSet(revoked, NOW + 5))).toEqual([
      [2, 'revoked'],
      [1, 'accepted'],
    ])
  })

  it('never leaves out what is accepted, however many there are', () => {
    const old = Array.from({ length: 40 }, (_, index) =>
      ranked(index + 2, { supersededAt: NOW + 50, acceptedUntil: NOW + 50 }),
    )
    const set = releaseSet([ranked(1), ...old], NOW + 60)
    expect(set).toHaveLength(MAX_COMPARED)
    expect(standings(set)).toContainEqual([1, 'accepted'])
  })
})
