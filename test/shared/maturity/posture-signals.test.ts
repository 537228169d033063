import { describe, expect, it } from 'vitest'
import { isSignalId, SIGNALS } from '../../../shared/maturity/signals.ts'
import {
  POSTURE_SIGNAL_IDS,
  POSTURE_SIGNALS,
  type Posture,
  type PostureSignalId,
} from '../../../shared/maturity/signals/posture.ts'
import { goodPosture } from '../../support/postures.ts'

const time = { today: '2026-11-26' }
const say = (signal: PostureSignalId, posture: Posture) => POSTURE_SIGNALS[signal](posture, time)

describe('signals of a posture', () => {
  it.each(POSTURE_SIGNAL_IDS)('%s is of the list, asserted, and unknown where nothing was measured', (signal) => {
    expect(isSignalId(signal)).toBe(true)
    expect(SIGNALS[signal].source).toBe('asserted')
    expect(say(signal, {})).toBe('unknown')
  })

  const base = goodPosture()

  it.each(POSTURE_SIGNAL_IDS)('%s is good of a unit on which all is', (signal) => {
    expect(say(signal, base)).toBe('good')
  })

  const hidden = { missing: 'no-permission' } as const
  const cases: readonly (readonly [PostureSignalId, string, Posture, string])[] = [
    [
      'patch.supported-system',
      'that is supported today',
      { 'patch-level': { ...base['patch-level'], support: { value: { end: '2026-11-26', source: 'table' } } } },
      'good',
    ],
    [
      'patch.supported-system',
      'whose support ended yesterday',
      { 'patch-level': { ...base['patch-level'], support: { value: { end: '2026-11-25', source: 'table' } } } },
      'bad',
    ],
    [
      'patch.supported-system',
      'with extended support',
      {
        'patch-level': {
          ...base['patch-level'],
          support: { value: { end: '2024-01-01', extendedEnd: '2030-01-01', source: 'table' } },
        },
      },
      'good',
    ],
    [
      'patch.supported-system',
      'that is not in the table',
      { 'patch-level': { ...base['patch-level'], support: { missing: 'absent' } } },
      'unknown',
    ],
    [
      'patch.restarted',
      'that waits for a restart',
      { 'patch-level': { ...base['patch-level'], reboot: { value: 'required' } } },
      'bad',
    ],
    ['data.secure-boot', 'with Secure Boot off', { boot: { ...base.boot, secureBoot: { value: false } } }, 'bad'],
    ['data.secure-boot', 'without UEFI', { boot: { ...base.boot, secureBoot: { missing: 'absent' } } }, 'bad'],
    ['data.secure-boot', 'that could not be looked at', { boot: { ...base.boot, secureBoot: hidden } }, 'unknown'],
    [
      'data.storage-encrypted',
      'with LUKS',
      { boot: { ...base.boot, mappings: { value: [{ kind: { value: 'luks2' }, name: { value: 'data' } }] } } },
      'good',
    ],
    [
      'data.storage-encrypted',
      'with LUKS and plain swap',
      {
        boot: { ...base.boot, mappings: { value: [{ kind: { value: 'luks2' }, name: { value: 'data' } }] } },
        hardening: { ...base.hardening, swap: { value: ['plain'] } },
      },
      'bad',
    ],
    [
      'access.input-filtered',
      'open for one family',
      { firewall: { ...base.firewall, input: { ipv4: { value: 'filtered' }, ipv6: { value: 'open' } } } },
      'bad',
    ],
    [
      'access.input-filtered',
      'without IPv6',
      { firewall: { ...base.firewall, input: { ipv4: { value: 'filtered' }, ipv6: { missing: 'absent' } } } },
      'good',
    ],
    [
      'physical.debug-closed',
      'with a shell on a serial line',
      {
        hardening: {
          ...base.hardening,
          debug: { ...base.hardening.debug, logins: { value: [{ terminal: 'ttyS0', kind: 'shell' }] } },
        },
      },
      'bad',
    ],
    [
      'physical.debug-closed',
      'where one way could not be seen',
      { hardening: { ...base.hardening, debug: { ...base.hardening.debug, memoryDevice: hidden } } },
      'unknown',
    ],
    [
      'monitoring.log-service',
      'whose log service is off',
      {
        operations: {
          ...base.operations,
          logging: { ...base.operations.logging, services: [{ service: 'rsyslog', state: 'off' }] },
        },
      },
      'bad',
    ],
    [
      'monitoring.log-service',
      'whose log service cannot be told',
      {
        operations: {
          ...base.operations,
          logging: { ...base.operations.logging, services: [{ service: 'rsyslog', state: 'unknown' }] },
        },
      },
      'unknown',
    ],
  ]

  it.each(cases)('%s of a unit %s', (signal, _, posture, outcome) => {
    expect(say(signal, posture)).toBe(outcome)
  })

  const account = (over: object) => ({
    name: 'admin',
    superuser: false,
    shell: '/bin/sh',
    password: { value: 'sha512crypt' as const },
    keys: { missing: 'absent' as const },
    ...over,
  })
  const accounts = (list: ReturnType<typeof account>[], over: object = {}): Posture => ({
    access: { ...base.access, accounts: { value: { list, more: 0, malformed: 0, shadow: 'read', ...over } } },
  })

  it('tell accounts that are open, too mighty or weakly kept, and do not guess about those that are cut off', () => {
    expect(say('access.no-empty-password', accounts([account({})]))).toBe('good')
    expect(say('access.no-empty-password', accounts([account({ password: { value: 'empty' } })]))).toBe('bad')
    expect(say('access.no-empty-password', accounts([account({})], { shadow: 'no-permission' }))).toBe('unknown')
    expect(say('access.no-extra-superuser', accounts([account({ name: 'root', superuser: true })]))).toBe('good')
    expect(say('access.no-extra-superuser', accounts([account({ superuser: true })]))).toBe('bad')
    expect(say('access.no-extra-superuser', accounts([account({})], { more: 1 }))).toBe('unknown')
    expect(say('data.strong-password-hashes', accounts([account({ password: { value: 'md5crypt' } })]))).toBe('bad')
  })

  const daemon = (...settings: (readonly [string, string])[]): Posture => ({
    access: {
      ...base.access,
      ssh: [
        {
          program: 'sshd',
          basis: 'effective',
          settings: { value: settings.map(([name, value]) => ({ name, value })) },
          matches: { missing: 'absent' },
          options: { missing: 'absent' },
        },
      ],
    },
  })

  it('tell SSH that takes passwords, which is the default of the server', () => {
    expect(say('access.no-password-ssh', daemon())).toBe('bad')
    expect(say('access.no-password-ssh', daemon(['PasswordAuthentication', 'no']))).toBe('good')
    expect(say('access.no-password-ssh', { access: { ...base.access, ssh: [] } })).toBe('good')
  })

  const channel = (over: object): Posture => ({
    'update-channel': {
      channels: [
        {
          manager: 'apt',
          signatures: 'enforced',
          sources: [
            { id: 'deb x', uris: [], transports: ['https'], signatures: 'default', signedBy: [], settings: [] },
          ],
          keyrings: [],
          settings: [],
          automatic: { state: 'on', settings: [] },
          malformed: 0,
          unreadable: [],
          truncated: false,
          ...over,
        },
      ],
    },
  })

  it('tell an update channel that takes what nobody signed', () => {
    expect(say('patch.signed-channel', channel({}))).toBe('good')
    expect(say('patch.signed-channel', channel({ signatures: 'not-enforced' }))).toBe('bad')
    expect(say('patch.signed-channel', channel({ signatures: 'unknown' }))).toBe('unknown')
    expect(say('patch.signed-channel', channel({ truncated: true }))).toBe('unknown')
    expect(say('patch.signed-channel', { 'update-channel': { channels: [] } })).toBe('unknown')
  })
})
