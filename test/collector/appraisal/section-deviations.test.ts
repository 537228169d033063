import { describe, expect, test } from 'vitest'
import { sectionDeviations } from '../../../collector/appraisal/section-deviations.ts'
import { encodeSection } from '../../../shared/posture/canonical.ts'
import type { PatchLevelContent, PendingUpdate, Updates } from '../../../shared/posture/sections/patch-level.ts'
import { measured, sha256 } from '../../support/posture.ts'

const pending = (name: string, security: boolean, candidate = '2'): PendingUpdate => ({
  name,
  architecture: 'amd64',
  installed: '1',
  candidate,
  security,
})
const updates = (list: PendingUpdate[], more: Partial<Updates> = {}): PatchLevelContent['updates'] => ({
  value: {
    manager: 'apt',
    pending: list,
    total: list.length,
    security: list.filter(({ security }) => security).length,
    securityTold: true,
    lists: [{ name: 'main', status: 'read', security: false }],
    unnamed: 0,
    incomparable: 0,
    pins: false,
    ...more,
  },
})

const current: PatchLevelContent = {
  updates: updates([]),
  kernel: { value: { running: 'newest' } },
  reboot: { value: 'not-flagged' },
  support: { value: { end: '2026-07-11', source: 'table' } },
  images: { missing: 'absent' },
  bootLoader: { missing: 'absent' },
  efiPrograms: { missing: 'absent' },
}

const deviations = (before: PatchLevelContent, after: PatchLevelContent) => {
  const bytes = (content: PatchLevelContent) =>
    encodeSection('patch-level', measured<'patch-level'>(content), sha256).bytes
  const found = sectionDeviations('patch-level', bytes(before), bytes(after))
  if (found === 'content-missing') throw new Error(found)
  return found
}

describe('a change of the patch level is one finding', () => {
  const two = updates([pending('curl', true), pending('openssl', true)])

  test.each<[string, Partial<PatchLevelContent>, string]>([
    ['fifty updates at once', { updates: two }, 'patch-level.security-updates-pending security updates'],
    [
      'one without a security reason',
      { updates: updates([pending('vim', false)]) },
      'patch-level.updates-pending other updates',
    ],
    [
      'a kernel that waits',
      { kernel: { value: { running: 'older', newest: '7' } } },
      'patch-level.reboot-changed running kernel',
    ],
    ['a reboot that is asked for', { reboot: { value: 'required' } }, 'patch-level.reboot-changed reboot'],
    ['another end of support', { support: { missing: 'absent' } }, 'patch-level.support-changed end of support'],
    [
      'a list that cannot be compared any more',
      { updates: updates([], { lists: [{ name: 'main', status: 'compressed', security: false }] }) },
      'patch-level.lists-changed package lists main',
    ],
    [
      'another boot loader',
      { bootLoader: { value: [{ name: 'u-boot', version: '2024.01' }] } },
      'patch-level.boot-loader-changed boot loader',
    ],
    ['pins', { updates: updates([], { pins: true }) }, 'patch-level.lists-changed package lists'],
  ])('%s', (_, change, expected) => {
    const found = deviations(current, { ...current, ...change })
    expect(found.map(({ code, subject }) => `${code} ${subject}`)).toEqual([expected])
  })

  test('of a manager that does not tell which updates are for security', () => {
    const untold = (list: PendingUpdate[]): PatchLevelContent => ({
      ...current,
      updates: updates(list, { manager: 'apk', securityTold: false }),
    })
    expect(deviations(untold([]), untold([pending('curl', false)])).map(({ code }) => code)).toEqual([
      'patch-level.unclassified-updates-pending',
    ])
    // What was told before and no longer is, is a loss of sight.
    expect(deviations(current, untold([])).map(({ code }) => code)).toEqual(['patch-level.lists-changed'])
  })

  test('that names every update', () => {
    expect(deviations(current, { ...current, updates: two })).toMatchObject([
      { before: null, after: 'curl:amd64 1 to 2 | openssl:amd64 1 to 2' },
    ])
  })

  test('more of them is a change of the same finding, none any more is another', () => {
    const one = { ...current, updates: updates([pending('curl', true)]) }
    expect(deviations(one, { ...current, updates: two }).map(({ code }) => code)).toEqual([
      'patch-level.security-updates-pending',
    ])
    expect(deviations(one, current).map(({ code }) => code)).toEqual(['patch-level.updates-gone'])
  })

  test('a new image and a new mechanism', () => {
    const image = (version: string): PatchLevelContent => ({
      ...current,
      images: { value: [{ mechanism: 'mender', versions: [{ name: 'artifact_name', version }] }] },
    })
    expect(deviations(image('1'), image('2')).map(({ code }) => code)).toEqual(['patch-level.image-changed'])
    expect(new Set(deviations(current, image('2')).map(({ code }) => code))).toEqual(
      new Set(['patch-level.image-changed']),
    )
  })
})
