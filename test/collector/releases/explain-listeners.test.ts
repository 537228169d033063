import { describe, expect, it } from 'vitest'
import type { ExpectedSection } from '../../../collector/releases/compiled.ts'
import { explainListeners } from '../../../collector/releases/explain-listeners.ts'
import { judgeSection } from '../../../collector/releases/judge-section.ts'
import type { SectionRules } from '../../../collector/releases/rule-schema.ts'
import type { Listener, SocketsContent } from '../../../shared/posture/sections/sockets.ts'

const listener = (port: number, executable: string): Listener => ({
  protocol: 'tcp',
  family: 'ipv4',
  scope: 'any',
  address: '0.0.0.0',
  port,
  owner: 'known',
  programs: [{ executable, origin: 'none' }],
})

const content = (...listeners: readonly Listener[]): SocketsContent => ({
  listeners: [...listeners],
  tables: ['tcp'],
  owners: 'visible',
  namespaces: 'visible',
  bindings: 'no-permission',
  vsock: 'visible',
  truncated: false,
  total: listeners.length,
  malformed: 0,
})

const expected = (rules: SectionRules, captured: SocketsContent | null = null): ExpectedSection => ({
  rules,
  captured: captured && {
    digest: new Uint8Array(32),
    reading: { status: 'measured', content: captured } as NonNullable<ExpectedSection['captured']>['reading'],
  },
})

const SSHD = listener(22, '/usr/sbin/sshd')
const NC = listener(4444, '/tmp/nc')
const allowSsh = { allow: [{ protocol: 'tcp', scope: 'any', port: 22, executable: '/usr/sbin/*' }] } as const

describe('why a listener is let pass', () => {
  it('names the rule, that it was captured so, or that nothing lets it pass', () => {
    const web = listener(443, '/usr/bin/gateway')
    const rules = { listeners: { allow: [...allowSsh.allow] } }
    expect(explainListeners(content(SSHD, web, NC), expected(rules, content(web)))).toEqual([
      { subject: 'tcp/0.0.0.0:22', allowedBy: 'rule', rule: 'tcp, scope any, port 22, executable /usr/sbin/*' },
      { subject: 'tcp/0.0.0.0:443', allowedBy: 'captured', rule: null },
      { subject: 'tcp/0.0.0.0:4444', allowedBy: null, rule: null },
    ])
  })

  it('lets one of two sockets at an address not hide behind the other', () => {
    const rules = { listeners: { allow: [...allowSsh.allow] } }
    const [only] = explainListeners(content(SSHD, listener(22, '/tmp/nc')), expected(rules))
    expect(only).toMatchObject({ allowedBy: null })
  })

  it('names a rule for statements that refuses it', () => {
    const facts = [{ subject: 'tcp/0.0.0.0:4444', value: 'nothing' }]
    expect(explainListeners(content(NC), expected({ facts }))).toEqual([
      { subject: 'tcp/0.0.0.0:4444', allowedBy: null, rule: 'tcp/0.0.0.0:4444: nothing' },
    ])
  })

  it('says what the judgement says', () => {
    const all = [
      SSHD,
      NC,
      listener(443, '/usr/bin/gateway'),
      listener(22, '/opt/other'),
      listener(53, '/usr/sbin/named'),
    ]
    const rulesOf: SectionRules[] = [
      {},
      { listeners: { allow: [...allowSsh.allow] } },
      { facts: [{ subject: 'tcp/0.0.0.0:*', any: true }] },
      { listeners: { allow: [...allowSsh.allow] }, facts: [{ subject: 'tcp/**:53', value: 'another' }] },
    ]
    for (const rules of rulesOf) {
      for (const captured of [content(), content(NC), content(SSHD, NC)]) {
        for (let mask = 1; mask < 2 ** all.length; mask++) {
          const given = content(...all.filter((_, index) => (mask & (1 << index)) !== 0))
          const section = expected(rules, captured)
          const reading = { status: 'measured', content: given } as never
          const wrong = judgeSection('sockets', section, { digest: new Uint8Array(32).fill(1), reading })
          const refused = explainListeners(given, section).filter(({ allowedBy }) => allowedBy === null)
          const reported = new Set(given.listeners.map(({ port }) => `tcp/0.0.0.0:${port}`))
          const judged = wrong.map(({ subject }) => subject).filter((subject) => reported.has(subject))
          expect(refused.map(({ subject }) => subject).sort()).toEqual([...new Set(judged)].sort())
        }
      }
    }
  })
})
