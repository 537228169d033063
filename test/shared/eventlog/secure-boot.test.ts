import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { claimedSecureBootState, secureBootState } from '../../../shared/eventlog/secure-boot.ts'
import type { SecureBootState } from '../../../shared/eventlog/secure-boot-state.ts'
import {
  action,
  agileLog,
  ascii,
  authority,
  certificate,
  certificateList,
  configuration,
  DB_CERTIFICATE,
  dbAuthority,
  digestOf,
  GLOBAL,
  hashList,
  OWNER,
  pcrsOf,
  secureBootVariables,
  SECURITY,
  separator,
  SHIM,
  u32,
  variableData,
  type EventSpec,
} from '../../support/eventlog-builder.ts'

function stateOf(events: readonly EventSpec[]): SecureBootState {
  const log = parseEventLog(agileLog(events))
  return secureBootState(verifyEventLog(log, 'sha256', pcrsOf(events), hash), hash)
}
const codesOf = (events: readonly EventSpec[]) => stateOf(events).problems.map(({ code }) => code)

const [secureBoot, platformKey, keyExchangeKeys, db, dbx] = secureBootVariables() as [
  EventSpec,
  EventSpec,
  EventSpec,
  EventSpec,
  EventSpec,
]
const variables = [secureBoot, platformKey, keyExchangeKeys, db, dbx]
const good = [...variables, separator(7), dbAuthority()]
const off = [...secureBootVariables(0), separator(7)]

/** All that a state with any problem may say. */
const UNKNOWN = {
  enabled: 'unknown',
  setupMode: 'unknown',
  platformKey: 'unknown',
  keyExchangeKeys: 'unknown',
  allowed: 'unknown',
  forbidden: 'unknown',
  authorities: [],
  sbatLevel: 'unknown',
}
function expectUnknown(events: readonly EventSpec[], code: string): void {
  const state = stateOf(events)
  expect(state).toMatchObject(UNKNOWN)
  expect(state.problems.map((problem) => problem.code)).toContain(code)
}

describe('a regular boot', () => {
  test('proves Secure Boot, its databases, and what allowed the boot loader', () => {
    const state = stateOf(good)
    expect(state).toMatchObject({ basis: 'quote', enabled: true, setupMode: false, weaknesses: [], problems: [] })
    expect(state.platformKey).toMatchObject({ certificates: [{ subject: 'Platform owner' }], hashes: 0 })
    expect(state.allowed).toMatchObject({ certificates: [{ subject: 'Boot signer' }, { subject: 'Other signer' }] })
    expect(state.forbidden).toMatchObject({
      certificates: [],
      hashes: 2,
      digest: digestOf('sha256', dbx.data).toString('hex'),
    })
    const sha256 = digestOf('sha256', DB_CERTIFICATE).toString('hex')
    expect(state.authorities).toEqual([
      {
        sequence: 7,
        phase: 'after-separator',
        variable: 'db',
        certificate: { subject: 'Boot signer', issuer: 'Boot signer', sha256 },
      },
    ])
  })

  test('an authority without the GUID of its owner, as shim writes it, is found in db', () => {
    const state = stateOf([...variables, separator(7), authority('db', SECURITY, DB_CERTIFICATE)])
    expect(state.enabled).toBe(true)
    expect(state.authorities[0]?.certificate?.subject).toBe('Boot signer')
  })

  test('an image allowed by its hash', () => {
    const image = Buffer.alloc(32, 9)
    const withHash = configuration('db', SECURITY, hashList(image))
    const state = stateOf([secureBoot, platformKey, keyExchangeKeys, withHash, dbx, separator(7), dbAuthority(image)])
    expect(state.enabled).toBe(true)
    expect(state.authorities[0]?.imageHash).toBe(image.toString('hex'))
  })

  test('an option ROM verified before the separator', () => {
    const state = stateOf([...variables, dbAuthority(), separator(7)])
    expect(state.enabled).toBe(true)
    expect(state.authorities[0]?.phase).toBe('before-separator')
  })

  test('the revocation level of shim', () => {
    const level = authority('SbatLevel', SHIM, ascii('sbat,1,2023012900\nshim,2\ngrub,3\n'))
    expect(stateOf([...good, level]).sbatLevel).toEqual({ date: '2023012900', generations: { shim: 2, grub: 3 } })
  })

  test('the same revocation level measured by a second shim', () => {
    const level = authority('SbatLevel', SHIM, ascii('sbat,1,2023012900\n'))
    expect(stateOf([...good, level, level]).sbatLevel).toMatchObject({ date: '2023012900' })
  })

  test('a revocation level of another vendor is not that of shim', () => {
    const level = authority('SbatLevel', GLOBAL, ascii('sbat,1,2023012900\n'))
    expect(stateOf([...good, level]).sbatLevel).toBe('unknown')
  })

  test("shim's built-in certificate", () => {
    const state = stateOf([...good, authority('Shim', SHIM, certificate('Distribution CA'))])
    expect(state.authorities[1]).toMatchObject({ variable: 'Shim', certificate: { subject: 'Distribution CA' } })
  })

  test('an empty dbx', () => {
    const state = stateOf([...variables.slice(0, 4), configuration('dbx', SECURITY, Buffer.alloc(0)), ...good.slice(5)])
    expect(state).toMatchObject({ enabled: true, forbidden: { certificates: [], hashes: 0, others: 0 } })
  })

  test('a signature list whose last entry was removed', () => {
    for (const entrySize of [0, 16, 48]) {
      const list = Buffer.concat([hashList(Buffer.alloc(32)).subarray(0, 16), u32(28), u32(0), u32(entrySize)])
      const dbxOf = (value: Buffer) => configuration('dbx', SECURITY, value)
      const state = stateOf([...variables.slice(0, 4), dbxOf(list), ...good.slice(5)])
      expect(state).toMatchObject({ enabled: true, forbidden: { certificates: [], hashes: 0, others: 0 } })
    }
  })

  test('variables that the profile does not name', () => {
    const other = configuration('VendorSetting', GLOBAL, ascii('x'))
    expect(stateOf([...variables, other, ...good.slice(5)]).enabled).toBe(true)
  })
})

describe('Secure Boot that is off', () => {
  test('is proven off by 0', () => {
    expect(stateOf(off)).toMatchObject({ enabled: false, problems: [] })
  })

  test('is proven off by an empty SecureBoot variable', () => {
    const events = [configuration('SecureBoot', GLOBAL, Buffer.alloc(0)), ...off.slice(1)]
    expect(stateOf(events)).toMatchObject({ enabled: false, problems: [] })
  })

  test('in setup mode has no platform key', () => {
    const empty = Buffer.alloc(0)
    const events = [
      configuration('SecureBoot', GLOBAL, Buffer.from([0])),
      configuration('PK', GLOBAL, empty),
      configuration('KEK', GLOBAL, empty),
      configuration('db', SECURITY, empty),
      configuration('dbx', SECURITY, empty),
      separator(7),
    ]
    expect(stateOf(events)).toMatchObject({ enabled: false, setupMode: true, weaknesses: ['setup-mode'] })
  })
})

describe('weaknesses', () => {
  test.each([
    ['debug-mode', action(7, 'UEFI Debug Mode')],
    ['dma-protection-disabled', action(7, 'DMA Protection Disabled')],
    ['audit-mode', configuration('AuditMode', GLOBAL, Buffer.from([1]))],
  ])('%s', (weakness, event) => {
    expect(stateOf([...variables, event, ...good.slice(5)])).toMatchObject({ enabled: true, weaknesses: [weakness] })
  })

  test.each([
    ['before the configuration', (event: EventSpec) => [event, ...good]],
    ['between configuration and separator', (event: EventSpec) => [...variables, event, ...good.slice(5)]],
    ['after the separator', (event: EventSpec) => [...good, event]],
  ])('an action counts %s', (_, build) => {
    expect(stateOf(build(action(7, 'DMA Protection Disabled')))).toMatchObject({
      enabled: true,
      weaknesses: ['dma-protection-disabled'],
    })
  })

  test('an action with a terminator', () => {
    expect(stateOf([...good, action(7, 'DMA Protection Disabled\0')]).weaknesses).toEqual(['dma-protection-disabled'])
  })

  test('Thunderbolt that lets devices read memory', () => {
    const event = action(7, 'Security Level is Downgraded to 0')
    expect(stateOf([event, ...good]).weaknesses).toEqual(['dma-protection-disabled'])
  })

  test('settings that a vendor lists are not taken for nothing', () => {
    const event = action(7, 'SVM CPU Virtualization: Enable, DMA protection: Enable')
    expect(stateOf([event, ...good])).toMatchObject({ enabled: true, weaknesses: ['unrecognised-action'] })
  })

  test('shim-validation-disabled', () => {
    const state = stateOf([...good, authority('MokSBState', SHIM, Buffer.from([1]))])
    expect(state.weaknesses).toEqual(['shim-validation-disabled'])
  })

  test('survive in a state that is otherwise unknown', () => {
    const state = stateOf([...variables, action(7, 'UEFI Debug Mode'), ...good.slice(5), separator(7)])
    expect(state).toMatchObject({ ...UNKNOWN, weaknesses: ['debug-mode'] })
  })
})

describe('unknown:', () => {
  test('PCR 7 not quoted', () => {
    const log = parseEventLog(agileLog(good))
    const state = secureBootState(verifyEventLog(log, 'sha256', new Map(), hash), hash)
    expect(state).toMatchObject({ ...UNKNOWN, problems: [{ code: 'eventlog.not-replayed' }] })
  })

  test('PCR 7 quoted before anything was measured', () => {
    const log = parseEventLog(agileLog(good))
    const state = secureBootState(verifyEventLog(log, 'sha256', pcrsOf([]), hash), hash)
    expect(state.enabled).toBe('unknown')
  })

  test('no log of PCR 7 at all', () => {
    expect(stateOf([separator(0)])).toMatchObject({ ...UNKNOWN, problems: [{ code: 'eventlog.not-replayed' }] })
  })

  test.each([
    ['no SecureBoot variable', good.slice(1), 'eventlog.variable-missing'],
    ['no PK while enabled', good.filter((event) => event !== platformKey), 'eventlog.variable-missing'],
    ['no KEK while enabled', good.filter((event) => event !== keyExchangeKeys), 'eventlog.variable-missing'],
    ['no dbx while enabled', good.filter((event) => event !== dbx), 'eventlog.variable-missing'],
    ['no separator', good.filter((event) => event.type !== 'EV_SEPARATOR'), 'eventlog.separator'],
    ['a second separator', [...good, separator(7)], 'eventlog.separator'],
    ['a separator that tells of an error', [...variables, separator(7, 1), dbAuthority()], 'eventlog.separator'],
    [
      'a separator of another size',
      [...variables, { ...separator(7), data: Buffer.alloc(8) }, dbAuthority()],
      'eventlog.separator',
    ],
    ['no authority while enabled', good.slice(0, -1), 'eventlog.authority-missing'],
    [
      'an authority that is not in db',
      [...good, dbAuthority(certificate('Boot signer', 'other'))],
      'eventlog.authority-unknown',
    ],
    [
      'an authority before db',
      [secureBoot, platformKey, dbAuthority(), keyExchangeKeys, db, dbx, separator(7)],
      'eventlog.variable-order',
    ],
    ['a variable measured twice', [...variables, secureBoot, ...good.slice(5)], 'eventlog.duplicate-variable'],
    [
      'a vendor variable measured twice',
      [...variables, ...Array.from({ length: 2 }, () => configuration('X', GLOBAL, ascii('x'))), ...good.slice(5)],
      'eventlog.duplicate-variable',
    ],
    [
      'a second revocation level that differs',
      [...good, ...['2021030218', '2099010100'].map((date) => authority('SbatLevel', SHIM, ascii(`sbat,1,${date}\n`)))],
      'eventlog.duplicate-variable',
    ],
    [
      'variables out of order',
      [platformKey, secureBoot, keyExchangeKeys, db, dbx, ...good.slice(5)],
      'eventlog.variable-order',
    ],
    ['a variable after the separator', [...good, configuration('X', GLOBAL, ascii('x'))], 'eventlog.variable-order'],
    [
      'a SecureBoot value of 2',
      [configuration('SecureBoot', GLOBAL, Buffer.from([2])), ...good.slice(1)],
      'eventlog.variable-malformed',
    ],
    [
      'a SecureBoot value of two bytes',
      [configuration('SecureBoot', GLOBAL, Buffer.from([1, 0])), ...good.slice(1)],
      'eventlog.variable-malformed',
    ],
    [
      'a SecureBoot variable of another vendor',
      [configuration('SecureBoot', SECURITY, Buffer.from([1])), ...good.slice(1)],
      'eventlog.variable-malformed',
    ],
    [
      'a variable that is no structure',
      [{ ...secureBoot, data: secureBoot.data.subarray(0, 40) }, ...good.slice(1)],
      'eventlog.variable-malformed',
    ],
    [
      'a database that is no signature list',
      [
        secureBoot,
        platformKey,
        keyExchangeKeys,
        configuration('db', SECURITY, ascii('x'.repeat(40))),
        dbx,
        ...good.slice(5),
      ],
      'eventlog.variable-malformed',
    ],
    [
      'an action that is no text',
      [...variables, action(7, '\x01\x02\x03\x04\x05'), ...good.slice(5)],
      'eventlog.forbidden-event',
    ],
    ['an action as short as a separator', [...good, action(7, 'abcd')], 'eventlog.forbidden-event'],
    ['an empty action', [...good, action(7, '')], 'eventlog.forbidden-event'],
    ['an action of terminators', [...good, action(7, '\0\0\0\0')], 'eventlog.forbidden-event'],
    ['an action longer than any text', [...good, action(7, 'x'.repeat(1025))], 'eventlog.forbidden-event'],
    [
      'an event type without a place in PCR 7',
      [...good, { pcr: 7, type: 'EV_IPL', data: ascii('x') } as const],
      'eventlog.forbidden-event',
    ],
    [
      'an event type that does not exist',
      [...good, { pcr: 7, type: 0x12345678, data: ascii('x') }],
      'eventlog.forbidden-event',
    ],
    [
      'a configuration variable as an authority',
      [...good, { ...secureBoot, type: 'EV_EFI_VARIABLE_AUTHORITY' } as const],
      'eventlog.forbidden-event',
    ],
    [
      'event data that was not measured',
      [...variables, separator(7), { ...dbAuthority(), hashed: ascii('x') }],
      'eventlog.digest-mismatch',
    ],
  ])('%s', (_, events, code) => expectUnknown(events, code))
})

describe('attacks on what PCR 7 says, with Secure Boot off in truth', () => {
  /** What malware can extend after firmware has measured the truth, to look like a boot with Secure Boot on. */
  const staged = [...off, ...good]

  test('a whole second boot extended behind the first is not believed', () => {
    expectUnknown(staged, 'eventlog.variable-order')
  })

  const TYPES = [
    'EV_EFI_ACTION',
    'EV_EFI_VARIABLE_AUTHORITY',
    'EV_EFI_VARIABLE_BOOT',
    'EV_EVENT_TAG',
    'EV_IPL',
    'EV_POST_CODE',
    'EV_SEPARATOR',
    'EV_EFI_SPDM_DEVICE_POLICY',
    'EV_EFI_SPDM_DEVICE_AUTHORITY',
    'EV_EFI_VARIABLE_DRIVER_CONFIG',
  ] as const
  test.each(TYPES)('the events of the true boot retagged as %s do not vanish', (type) => {
    for (let retagged = 1; retagged < 1 << off.length; retagged++) {
      const events = staged.map((event, i) =>
        ((1 << i) & retagged) !== 0 && i < off.length ? { ...event, type } : event,
      )
      expect(stateOf(events).enabled).not.toBe(true)
    }
  })

  test('data exchanged under the measured digest is not believed', () => {
    const forged = [{ ...secureBoot, hashed: off[0]?.data ?? ascii('') }, ...off.slice(1), dbAuthority()]
    expect(pcrsOf(forged).get(7)).toEqual(pcrsOf([...off, dbAuthority()]).get(7))
    expectUnknown(forged, 'eventlog.digest-mismatch')
  })

  test('bytes hidden behind the structure do not change what was measured', () => {
    const events = [
      {
        ...(off[0] ?? secureBoot),
        data: Buffer.concat([off[0]?.data ?? ascii(''), Buffer.alloc(4)]),
        hashed: off[0]?.data ?? ascii(''),
      },
      ...off.slice(1),
    ]
    expect(stateOf(events).enabled).toBe(false)
  })

  test('a name that ends in zeros is the name', () => {
    const padded = { ...secureBoot, data: variableData('SecureBoot\0', GLOBAL, Buffer.from([1])) }
    expectUnknown([...off.slice(0, 5), padded, separator(7), dbAuthority()], 'eventlog.duplicate-variable')
  })

  test('a list whose sizes do not add up is not read', () => {
    const list = certificateList(DB_CERTIFICATE)
    for (const [offset, value] of [
      [16, 0],
      [16, list.length + 1],
      [20, 0xffffffff],
      [24, 0],
      [24, 16],
      [24, 0xffffffff],
    ] as const) {
      const damaged = Buffer.from(list)
      u32(value).copy(damaged, offset)
      const events = [
        secureBoot,
        platformKey,
        keyExchangeKeys,
        configuration('db', SECURITY, damaged),
        dbx,
        separator(7),
        dbAuthority(),
      ]
      expect(codesOf(events)).toContain('eventlog.variable-malformed')
    }
  })
})

test('without a quote the state is marked as a claim', () => {
  const state = claimedSecureBootState(parseEventLog(agileLog(good)), 'sha256', hash)
  expect(state).toMatchObject({ basis: 'log', enabled: true })
})

test('a certificate that is not readable still has its fingerprint', () => {
  const broken = Buffer.concat([Buffer.from([0x30, 0x02]), ascii('zz')])
  const list = certificateList(broken)
  const state = stateOf([
    secureBoot,
    platformKey,
    keyExchangeKeys,
    configuration('db', SECURITY, list),
    dbx,
    separator(7),
    authority('db', SECURITY, Buffer.concat([OWNER, broken])),
  ])
  expect(state.allowed).toMatchObject({ certificates: [{ sha256: digestOf('sha256', broken).toString('hex') }] })
})
