import { describe, expect, it } from 'vitest'
import { areMet, type SectionsOf } from '../../../collector/advisories/conditions.ts'
import type { Met } from '../../../collector/model/product-statement.ts'
import { conditionFrom } from '../../../shared/advisories/posture-condition.ts'
import type { SectionContents, SectionId } from '../../../shared/posture/sections.ts'
import type { Listener } from '../../../shared/posture/sections/sockets.ts'
import { goodPosture } from '../../support/postures.ts'

const good = goodPosture()
type Change = Partial<{ [S in SectionId]: SectionContents[S] | null }>

function isMet(line: string, change: Change = {}): Met {
  const condition = conditionFrom(line)
  if (condition === undefined) throw new Error(line)
  const sections: Change = { ...good, ...change }
  return areMet([condition], ((id: SectionId) => sections[id] ?? null) as SectionsOf)
}

const listening = (over: Partial<Listener>): SectionContents['sockets'] => {
  const listener = { protocol: 'tcp', family: 'ipv4', scope: 'any', port: 23, owner: 'none', ...over } as Listener
  return { ...good.sockets, listeners: [listener], total: 1 }
}

describe('a condition over a posture', () => {
  it('that a package is absent is met by a whole list without it alone', () => {
    expect(isMet('package-absent:telnetd')).toBe('met')
    expect(isMet('package-absent:openssl')).toBe('not-met')
    const { packages } = good
    for (const packages_ of [
      null,
      { ...packages, total: 2 },
      { ...packages, malformed: 1 },
      { ...packages, incomplete: true },
      { ...packages, others: ['rpm' as const] },
      { ...packages, manager: 'none' as const },
    ]) {
      expect(isMet('package-absent:telnetd', { packages: packages_ })).toBe('unknown')
      expect(isMet('package-present:telnetd', { packages: packages_ })).toBe('unknown')
    }
  })

  it('that a package is there is met by a list with it', () => {
    expect(isMet('package-present:openssl')).toBe('met')
    expect(isMet('package-present:telnetd')).toBe('not-met')
    expect(isMet('package-present:openssl', { packages: null })).toBe('unknown')
  })

  it('that nothing is on a port is met where every socket is known, and none is on it', () => {
    expect(isMet('port-closed:tcp/23')).toBe('met')
    expect(isMet('port-closed:tcp/23', { sockets: listening({}) })).toBe('not-met')
    expect(isMet('port-closed:tcp/23', { sockets: listening({ scope: 'loopback' }) })).toBe('not-met')
    expect(isMet('port-closed:tcp/24', { sockets: listening({}) })).toBe('met')
    expect(isMet('port-closed:udp/23', { sockets: listening({}) })).toBe('met')
    const { sockets } = good
    // Whatever else is not told, that one is there.
    const cut = { ...listening({}), truncated: true, total: 2 }
    expect(isMet('port-closed:tcp/23', { sockets: cut })).toBe('not-met')
    for (const sockets_ of [
      null,
      { ...sockets, truncated: true, total: 1 },
      { ...sockets, malformed: 1 },
      { ...sockets, namespaces: 'no-permission' as const },
      listening({ protocol: 'raw', port: 6 }),
    ]) {
      expect(isMet('port-closed:tcp/24', { sockets: sockets_ })).toBe('unknown')
    }
  })

  it('takes a port that the kernel chose for any that it may be', () => {
    const sockets = listening({ port: 'ephemeral', family: 'any' })
    expect(isMet('port-closed:tcp/8080', { sockets })).toBe('unknown')
    expect(isMet('port-closed:tcp/23', { sockets })).toBe('met')
  })

  it('over a setting of the kernel is met by that value alone', () => {
    const withValue = (value: SectionContents['hardening']['settings'][number]['value']) => ({
      hardening: { ...good.hardening, settings: [{ name: 'kernel.kptr_restrict', value }] },
    })
    expect(isMet('setting:kernel.kptr_restrict=2', withValue({ value: '2' }))).toBe('met')
    expect(isMet('setting:kernel.kptr_restrict=2', withValue({ value: '1' }))).toBe('not-met')
    expect(isMet('setting:kernel.kptr_restrict=2', withValue({ missing: 'no-permission' }))).toBe('unknown')
    expect(isMet('setting:kernel.kptr_restrict=2')).toBe('unknown')
  })

  it('over a fact is met by all that the section states of its subject', () => {
    expect(isMet('fact:hardening:/dev/mem=none')).toBe('met')
    expect(isMet('fact:hardening:/dev/mem=open')).toBe('not-met')
    expect(isMet('fact:hardening:/dev/kmem=none')).toBe('unknown')
    expect(isMet('fact:hardening:/dev/mem=none', { hardening: null })).toBe('unknown')
  })

  it('is one of several, of which none may fail; none at all is met by nothing', () => {
    const of = ((id: SectionId) => good[id]) as SectionsOf
    const absent = { kind: 'package-absent', package: 'telnetd' } as const
    expect(areMet([absent, { kind: 'package-present', package: 'openssl' }], of)).toBe('met')
    expect(areMet([absent, { kind: 'package-present', package: 'curl' }], of)).toBe('not-met')
    const secret = { kind: 'fact', section: 'hardening', subject: '/dev/none', value: 'x' } as const
    expect(areMet([absent, secret], of)).toBe('unknown')
    expect(areMet([secret, { kind: 'package-present', package: 'curl' }], of)).toBe('not-met')
    expect(areMet([], of)).toBe('unknown')
  })
})
