import { describe, expect, test } from 'vitest'
import { compareReleases } from '../../../collector/releases/compare.ts'
import type { CompiledRelease, ExpectedBoot } from '../../../collector/releases/compiled.ts'
import type { ListenerRule, SectionRules } from '../../../collector/releases/rule-schema.ts'
import type { SectionId } from '../../../shared/posture/sections.ts'

const ofSection = (id: SectionId, rules: SectionRules): CompiledRelease => ({
  sections: new Map([[id, { captured: null, rules }]]),
  boot: null,
})

const subjects = (before: CompiledRelease, after: CompiledRelease): string[] =>
  compareReleases(before, after).map(({ subject }) => subject)

describe('a comparison of releases hides', () => {
  const rule: ListenerRule = { protocol: 'tcp', port: 443, scope: 'any' }

  test.each([
    { executable: '/usr/sbin/nginx' },
    { package: 'nginx' },
    { unit: 'nginx.service' },
    { namespace: '/run/netns/x' },
  ])('no condition of a listener that is gone: %j', (condition) => {
    const before = ofSection('sockets', { listeners: { allow: [{ ...rule, ...condition }] } })
    const after = ofSection('sockets', { listeners: { allow: [rule] } })
    expect(subjects(before, after)).toEqual(['allowed listener tcp 443 any'])
  })

  test('no other order of the rules of which the first decides', () => {
    const [one, all] = [
      { subject: 'secure-boot', value: 'true' },
      { subject: '**', any: true },
    ] as const
    const before = ofSection('boot', { facts: [one, all] })
    expect(subjects(before, ofSection('boot', { facts: [all, one] }))).toEqual(['order of the rules for statements'])
    expect(subjects(before, before)).toEqual([])
  })

  test('no further value of a PCR that events explain', () => {
    const good = '11'.repeat(32)
    const boot = (values: string[]): CompiledRelease => {
      const expected: ExpectedBoot = {
        pcrs: [{ bank: 'sha256', pcr: 4, values }],
        namedEvents: [],
        tpmFirmware: [],
        notJudged: [],
        reference: { bank: 'sha256', startupLocality: 0, pcrs: [{ pcr: 4, rules: [], isUnordered: false }] },
      }
      return { sections: new Map(), boot: expected }
    }
    expect(compareReleases(boot([good]), boot([good, '66'.repeat(32)]))).toMatchObject([
      { subject: 'PCR 4 of sha256', before: good, after: `${good} or ${'66'.repeat(32)}` },
    ])
  })
})
