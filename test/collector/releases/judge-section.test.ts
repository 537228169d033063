import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeSection } from '../../../collector/releases/judge-section.ts'
import type { SectionRules } from '../../../collector/releases/rule-schema.ts'
import { factsOf } from '../../../shared/posture/diff.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import { SECTION_IDS, type SectionId } from '../../../shared/posture/sections.ts'
import type { Package } from '../../../shared/posture/sections/packages.ts'
import type { Listener } from '../../../shared/posture/sections/sockets.ts'
import type { UpdateChannel, UpdateSource } from '../../../shared/posture/sections/update-channel.ts'
import { contents, measured } from '../../support/posture.ts'
import { packagesWith, socketsWith } from '../../support/software-device.ts'
import { expected, reported } from './support.ts'

const judge = (id: SectionId, before: SectionReading | null, rules: SectionRules, after: SectionReading): string[] =>
  judgeSection(id, expected(id, before, rules), reported(id, after)).map(({ code, subject }) => `${code} ${subject}`)

const anySection = fc
  .constantFrom(...SECTION_IDS)
  .chain((id) => fc.record({ id: fc.constant(id), one: contents[id], other: contents[id] }))

describe('a section without rules', () => {
  it('is let pass exactly if it is the captured one', () => {
    fc.assert(
      fc.property(anySection, ({ id, one, other }) => {
        const before: SectionReading = measured(one as never)
        const after: SectionReading = measured(other as never)
        const isSame =
          JSON.stringify([...factsOf(id, one as never)]) === JSON.stringify([...factsOf(id, other as never)])
        expect(judge(id, before, {}, before)).toEqual([])
        expect(judge(id, before, {}, after).length === 0).toBe(isSame)
      }),
    )
  })

  it('that could not be looked at is not taken for empty, whatever the rules', () => {
    const rules: SectionRules = { listeners: { allow: [] }, facts: [{ subject: '**', any: true }] }
    const failed: SectionReading = { status: 'failed', code: 'sensor-fault' }
    const told = ['agent.sensor-failed sockets']
    expect(judge('sockets', socketsWith(22), rules, failed)).toEqual(told)
    expect(judge('sockets', null, rules, failed)).toEqual(told)
    const unreadable = { digest: new Uint8Array(32), reading: { unreadable: 'section.malformed' } }
    expect(judgeSection('sockets', expected('sockets', null, rules), unreadable)).toHaveLength(1)
  })
})

describe('rules for statements', () => {
  const system = (release: string, machine = 'x86_64'): SectionReading<'system'> =>
    measured<'system'>({
      os: { missing: 'absent' },
      kernel: { release: { value: release }, machine: { value: machine }, build: { missing: 'absent' } },
    })

  it('decide in their order, and leave everything else to what was captured', () => {
    const facts: SectionRules['facts'] = [
      { subject: 'kernel.release', oneOf: ['6.1', '6.2'] },
      { subject: 'kernel.*', any: true },
    ]
    expect(judge('system', system('6.1'), { facts }, system('6.2', 'arm64'))).toEqual([])
    expect(judge('system', system('6.1'), { facts }, system('6.3'))).toEqual(['system.changed kernel.release'])
    expect(judge('system', null, { facts }, system('6.1'))).toEqual(['system.changed os'])
  })

  it('ask for a statement that they name, and not for one that they describe', () => {
    const named = judge('system', null, { facts: [{ subject: 'os.id', value: 'debian' }] }, system('6.1'))
    expect(named).toContain('system.changed os.id')
    const pattern = [{ subject: '**', any: true }] as const
    const described = { facts: [{ subject: 'os.i?', value: 'debian' }, ...pattern] }
    expect(judge('system', null, described, system('6.1'))).toEqual([])
  })

  it('for everything let everything pass, in any section that was measured', () => {
    fc.assert(
      fc.property(anySection, ({ id, one, other }) => {
        const rules = { facts: [{ subject: '**', any: true as const }] }
        const before: SectionReading = measured(one as never)
        const after: SectionReading = measured(other as never)
        expect(judge(id, before, rules, after)).toEqual([])
      }),
    )
  })
})

describe('rules for listeners', () => {
  type Program = NonNullable<Listener['programs']>[number]
  const program = (executable: string, over: Partial<Program> = { origin: 'package', package: 'nginx' }): Program =>
    ({ executable, unit: 'nginx.service', ...over }) as Program
  const listener = (port: number, over: Partial<Listener> = {}): Listener =>
    ({
      protocol: 'tcp',
      family: 'ipv4',
      scope: 'any',
      address: '0.0.0.0',
      port,
      owner: 'known',
      programs: [program('/usr/sbin/nginx')],
      ...over,
    }) as Listener
  const sockets = (...listeners: Listener[]): SectionReading<'sockets'> =>
    measured<'sockets'>({
      listeners,
      tables: ['tcp'],
      owners: 'visible',
      truncated: false,
      total: listeners.length,
      malformed: 0,
      namespaces: 'visible',
      bindings: 'absent',
      vsock: 'absent',
    })
  const allow = (...rules: NonNullable<SectionRules['listeners']>['allow']): SectionRules => ({
    listeners: { allow: rules },
  })
  const nginx = { protocol: 'tcp', ports: '400-500', scope: 'any', executable: '/usr/sbin/*' } as const

  it('allow a port of the range, by the program, in the scope; none is needed', () => {
    const before = sockets(listener(22, { programs: [program('/usr/sbin/sshd')] }))
    const rules = allow(nginx)
    expect(
      judge('sockets', before, rules, sockets(listener(22, { programs: [program('/usr/sbin/sshd')] }), listener(443))),
    ).toEqual([])
    expect(judge('sockets', before, rules, before)).toEqual([])
    const added = (port: number) => [`sockets.listener-added tcp/0.0.0.0:${port}`]
    const with22 = (other: Listener) => sockets(listener(22, { programs: [program('/usr/sbin/sshd')] }), other)
    expect(judge('sockets', before, rules, with22(listener(501)))).toEqual(added(501))
    expect(
      judge('sockets', before, rules, with22(listener(443, { programs: [program('/tmp/nc', { origin: 'none' })] }))),
    ).toEqual(added(443))
    expect(judge('sockets', before, rules, with22(listener(443, { owner: 'hidden', programs: [] as never })))).toEqual(
      added(443),
    )
    expect(judge('sockets', before, rules, sockets())).toEqual(['sockets.listener-removed tcp/0.0.0.0:22'])
  })

  it('allow by package and unit, which have to be known, and in the first network namespace unless they name another', () => {
    const byPackage = allow({ protocol: 'tcp', port: 443, scope: 'any', package: 'nginx*', unit: 'nginx.service' })
    const added = ['sockets.listener-added tcp/0.0.0.0:443']
    const at = (...programs: Program[]) => judge('sockets', sockets(), byPackage, sockets(listener(443, { programs })))
    expect(at(program('/opt/nginx'))).toEqual([])
    expect(at(program('/opt/nginx', { origin: 'none' }))).toEqual(added)
    expect(at(program('/opt/nginx', { origin: 'package', package: 'netcat' }))).toEqual(added)
    expect(at(program('/opt/nginx', { origin: 'package', package: 'nginx', unit: 'evil.service' }))).toEqual(added)
    expect(at(program('/opt/nginx'), program('/tmp/nc', { origin: 'none' }))).toEqual(added)
    const elsewhere = sockets(listener(443, { namespace: 'docker container' }))
    expect(judge('sockets', sockets(), byPackage, elsewhere)).toHaveLength(1)
    const named = allow({ protocol: 'tcp', port: 443, scope: 'any', namespace: 'docker *' })
    expect(judge('sockets', sockets(), named, elsewhere)).toEqual([])
  })

  it('do not hide a second socket on an address that is allowed to another program', () => {
    const both = sockets(listener(443), listener(443, { programs: [program('/tmp/nc', { origin: 'none' })] }))
    expect(judge('sockets', sockets(), allow(nginx), both)).toEqual(['sockets.listener-added tcp/0.0.0.0:443'])
  })
})

describe('rules for packages', () => {
  const packages = (...list: Package[]): SectionReading<'packages'> =>
    measured<'packages'>({ manager: 'dpkg', packages: list, total: list.length, malformed: 0, incomplete: false })
  const rules = (over: Partial<NonNullable<SectionRules['packages']>>): SectionRules => ({
    packages: { exact: [], minimum: [], forbidden: [], ignoreAdditional: false, ...over },
  })
  const minimum = rules({ minimum: [{ name: 'ssl', version: '3.0.9-1' }] })

  it('compare versions as the package manager does', () => {
    const before = packages({ name: 'ssl', version: '3.0.9-1' })
    const at = (version: string) => judge('packages', before, minimum, packages({ name: 'ssl', version }))
    expect(['3.0.9-1', '3.0.10-1', '1:0.1'].map(at)).toEqual([[], [], []])
    expect(['3.0.8-9', '3.0.9-1~rc1'].map(at)).toEqual([['packages.changed ssl'], ['packages.changed ssl']])
  })

  it('want it installed, whole, and within the reach of updates', () => {
    const before = packages({ name: 'ssl', version: '3.0.9-1' })
    expect(judge('packages', before, minimum, packages())).toEqual(['packages.removed ssl'])
    for (const over of [{ held: true }, { state: 'half-installed' }, { reinstallRequired: true }] as const) {
      const found = judge('packages', before, minimum, packages({ name: 'ssl', version: '3.1', ...over }))
      expect(found).toEqual(['packages.changed ssl'])
    }
  })

  it('let additional ones pass only where they say so, and forbidden ones never', () => {
    const before = packagesWith('1.0')
    const after = packages({ name: 'package-0', version: '1.0' }, { name: 'nmap', version: '7' })
    expect(judge('packages', before, rules({}), after)).toEqual(['packages.added nmap'])
    expect(judge('packages', before, rules({ ignoreAdditional: true }), after)).toEqual([])
    expect(judge('packages', before, rules({ ignoreAdditional: true, forbidden: ['nm*'] }), after)).toEqual([
      'packages.added nmap',
    ])
    expect(judge('packages', before, rules({ ignoreAdditional: true }), packages())).toEqual([
      'packages.removed package-0',
    ])
  })
})

describe('rules for update sources', () => {
  const channel = (
    source: Partial<UpdateSource>,
    over: Partial<UpdateChannel> = {},
  ): SectionReading<'update-channel'> =>
    measured<'update-channel'>({
      channels: [
        {
          manager: 'apt',
          signatures: 'enforced',
          sources: [
            {
              id: 'deb x',
              uris: ['https://acme.example/d'],
              transports: ['https'],
              signatures: 'default',
              signedBy: ['/k.gpg'],
              settings: [],
              ...source,
            },
          ],
          keyrings: [],
          settings: [],
          automatic: { state: 'none', settings: [] },
          malformed: 0,
          unreadable: [],
          truncated: false,
          ...over,
        },
      ],
    })
  const rules: SectionRules = {
    updateSources: {
      allow: [{ manager: 'apt', id: '**', uris: ['https://acme.example/**'], signedBy: ['/k.gpg'] }],
      keys: [],
    },
  }
  const before = measured<'update-channel'>({ channels: [] })
  const sourceCodes = (after: SectionReading<'update-channel'>) =>
    judge('update-channel', before, { ...rules, facts: [{ subject: 'signatures apt', any: true }] }, after)

  it('allow what is checked, and from where and by whom they say', () => {
    expect(sourceCodes(channel({}))).toEqual([])
    expect(sourceCodes(channel({ uris: ['https://evil.example/d'] }))).toEqual([
      'update-channel.source-added source apt deb x',
    ])
    expect(sourceCodes(channel({ signedBy: [] }))).toEqual(['update-channel.source-added source apt deb x'])
  })

  it('never allow one whose content is not checked', () => {
    const unsigned = ['update-channel.unsigned-source source apt deb x']
    expect(sourceCodes(channel({ signatures: 'not-enforced' }))).toEqual(unsigned)
    expect(sourceCodes(channel({}, { signatures: 'not-enforced' }))).toEqual(unsigned)
    const weak = channel({ settings: [{ name: 'allow-weak', value: 'yes', effect: 'weakens' }] })
    expect(sourceCodes(weak)).toEqual(['update-channel.checks-disabled source apt deb x'])
    expect(sourceCodes(channel({}, { signatures: 'unknown' }))).toEqual([
      'update-channel.source-added source apt deb x',
    ])
  })
})
