import { describe, expect, test } from 'vitest'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { NO_PCR } from '../../../shared/eventlog/constants.ts'
import { inspectEventLog } from '../../../shared/eventlog/inspect.ts'
import {
  action,
  agileEvent,
  agileLog,
  ascii,
  authority,
  certificate,
  configuration,
  DB_CERTIFICATE,
  dbAuthority,
  digestOf,
  GLOBAL,
  goodBoot,
  guid,
  hashList,
  noAction,
  OWNER,
  pcrsOf,
  secureBootVariables,
  SECURITY,
  separator,
  sha1Log,
  SHIM,
  specIdData,
  specIdEvent,
  startupLocality,
  u32,
  u64,
  utf16,
  variableData,
  type EventSpec,
} from '../../support/eventlog-builder.ts'

/** Logs in the manner of machines that are known to depart from the profile, or to use its rarer parts. */

const separators = (value = 0): EventSpec[] => [0, 1, 2, 3, 4, 5, 6, 7].map((pcr) => separator(pcr, value))
const hexOf = (values: ReadonlyMap<number, Uint8Array>, pcrs: Iterable<string>): Record<string, string> =>
  Object.fromEntries([...pcrs].map((pcr) => [pcr, Buffer.from(values.get(Number(pcr)) ?? []).toString('hex')]))

function expectReplay(log: Uint8Array, events: readonly EventSpec[], banks: readonly HashAlgorithm[], locality = 0) {
  const shown = inspectEventLog(log, hash)
  for (const bank of banks) {
    const values = shown.pcrs[bank] ?? {}
    expect(values).toEqual(hexOf(pcrsOf(events, bank, locality), Object.keys(values)))
    expect(Object.keys(values).map(Number)).toEqual(
      [...new Set(events.flatMap(({ pcr, type }) => (type === 'EV_NO_ACTION' || pcr === NO_PCR ? [] : [pcr])))].sort(
        (a, b) => a - b,
      ),
    )
  }
  return shown
}

describe('gateways', () => {
  test('U-Boot, which measures no authority and separates with ones', () => {
    const events: EventSpec[] = [
      { pcr: 0, type: 'EV_S_CRTM_VERSION', data: ascii('U-Boot 2024.01\0') },
      { pcr: 1, type: 'EV_TABLE_OF_DEVICES', data: ascii('dtb'), hashed: ascii('device tree') },
      { pcr: 1, type: 'EV_PLATFORM_CONFIG_FLAGS', data: ascii('console=ttyS0 root=/dev/mmcblk0p2') },
      { pcr: 8, type: 'EV_COMPACT_HASH', data: ascii('linux'), hashed: ascii('kernel') },
      { pcr: 9, type: 'EV_COMPACT_HASH', data: ascii('initrd'), hashed: ascii('initrd') },
      ...secureBootVariables(0),
      ...separators(0xffffffff),
    ]
    const shown = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
    expect(shown.secureBoot).toMatchObject({ enabled: false, problems: [] })
    expect(shown.events[4]).toMatchObject({ pcr: 8, description: 'linux' })
  })

  test('Trusted Firmware-A in front of a TPM, which measures PCR 0 alone and separates nothing', () => {
    const events: EventSpec[] = [
      startupLocality(0),
      ...['BL_2', 'SECURE_RT_EL3', 'HW_CONFIG'].map((name): EventSpec => {
        return { pcr: 0, type: 'EV_POST_CODE', data: ascii(`${name}\0`), hashed: ascii(`image ${name}`) }
      }),
    ]
    const shown = expectReplay(agileLog(events, ['sha256']), events, ['sha256'])
    expect(shown.events.at(-1)?.description).toBe('HW_CONFIG')
    expect(shown.secureBoot.enabled).toBe('unknown')
  })

  test('coreboot, whose entries have one size, also that of the startup locality', () => {
    const padded = (event: EventSpec): EventSpec => ({ ...event, data: Buffer.concat([event.data, Buffer.alloc(33)]) })
    const events: EventSpec[] = [
      padded(startupLocality(3)),
      padded({ pcr: 2, type: 'EV_ACTION', data: ascii('FMAP: COREBOOT'), hashed: ascii('bootblock') }),
      padded({ pcr: 0, type: 'EV_S_CRTM_VERSION', data: ascii('4.21'), hashed: ascii('4.21') }),
    ]
    const log = Buffer.concat([
      specIdEvent(['sha256'], 'coreboot vendor data'),
      ...events.map((event) => agileEvent(event, ['sha256'])),
      Buffer.alloc(400),
    ])
    const shown = expectReplay(log, events, ['sha256'], 3)
    expect(shown).toMatchObject({ startupLocality: 3, trailingBytes: 400 })
  })

  test('SeaBIOS, which knows neither variables nor Secure Boot', () => {
    const events: EventSpec[] = [
      { pcr: 0, type: 'EV_S_CRTM_VERSION', data: ascii('SeaBIOS\0') },
      { pcr: 2, type: 'EV_ACTION', data: ascii('Start Option ROM Scan') },
      ...separators(0xffffffff),
      { pcr: 4, type: 'EV_ACTION', data: ascii('Calling INT 19h') },
      { pcr: 4, type: 'EV_IPL', data: ascii('MBR'), hashed: ascii('boot sector') },
      { pcr: 5, type: 'EV_IPL_PARTITION_DATA', data: ascii('MBR PARTITION TABLE'), hashed: ascii('table') },
    ]
    const shown = expectReplay(sha1Log(events), events, ['sha1'])
    expect(shown.secureBoot.enabled).toBe('unknown')
    expect(shown.secureBoot.problems.map(({ code }) => code)).toEqual(['eventlog.variable-missing'])
  })
})

describe('laptops and servers', () => {
  test('Lenovo: EV_POST_CODE of nine bytes of text', () => {
    const events: EventSpec[] = [{ pcr: 0, type: 'EV_POST_CODE', data: ascii('ACPI DATA'), hashed: ascii('tables') }]
    expect(expectReplay(agileLog(events), events, ['sha1', 'sha256']).events[1]?.description).toBe('ACPI DATA')
  })

  test('a SHA-1 log whose first event is a startup locality', () => {
    const events = [startupLocality(3), ...goodBoot()]
    const shown = expectReplay(sha1Log(events), events, ['sha1'], 3)
    expect(shown).toMatchObject({ format: 'sha1', startupLocality: 3, secureBoot: { enabled: true } })
  })

  test('a SHA-1 log whose first event is any other', () => {
    expect(expectReplay(sha1Log(goodBoot()), goodBoot(), ['sha1']).secureBoot.enabled).toBe(true)
  })

  test.each(['Spec ID Event00\0', 'Spec ID Event02\0'])('a SHA-1 log with %j', (signature) => {
    const events = [noAction(Buffer.concat([ascii(signature), Buffer.alloc(9)])), ...goodBoot()]
    const shown = expectReplay(sha1Log(events), events, ['sha1'])
    expect(shown.events[0]).toMatchObject({ extended: false, description: 'log in SHA-1 format' })
  })

  test.each([0, 3, 4])('a hardware root of trust, with a startup locality of %i', (locality) => {
    const hcrtm: EventSpec = { pcr: 0, type: 'EV_EFI_HCRTM_EVENT', data: ascii('HCRTM'), hashed: ascii('boot block') }
    const events = [startupLocality(locality), hcrtm, ...goodBoot()]
    expectReplay(agileLog(events, ['sha256']), events, ['sha256'], 4)
  })

  test('user mode and audit mode measured between SecureBoot and PK, other databases behind dbx', () => {
    const [secureBoot, ...databases] = secureBootVariables()
    const mode = (name: string, value: number) => configuration(name, GLOBAL, Buffer.from([value]))
    const events = [
      ...(secureBoot === undefined ? [] : [secureBoot]),
      mode('DeployedMode', 0),
      mode('AuditMode', 0),
      ...databases,
      configuration('dbt', SECURITY, Buffer.alloc(0)),
      configuration('dbr', SECURITY, hashList(Buffer.alloc(32))),
      ...separators(),
      dbAuthority(),
    ]
    const shown = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
    expect(shown.secureBoot).toMatchObject({ enabled: true, problems: [], weaknesses: [] })
  })

  test('HP and Dell: settings reported in PCR 7 by text', () => {
    const events = [
      action(7, 'SVM CPU Virtualization: Enable'),
      ...secureBootVariables(),
      separator(7),
      action(7, 'DMA Protection Disabled\0'),
      dbAuthority(),
    ]
    const shown = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
    expect(shown.secureBoot).toMatchObject({
      enabled: true,
      problems: [],
      weaknesses: ['unrecognised-action', 'dma-protection-disabled'],
    })
  })

  test('devices measured by SPDM', () => {
    const devdb = (type: EventSpec['type']): EventSpec => ({
      pcr: 7,
      type,
      data: variableData('devdb', SECURITY, Buffer.concat([OWNER, certificate('Device')])),
    })
    const events: EventSpec[] = [
      ...secureBootVariables(),
      devdb('EV_EFI_SPDM_DEVICE_POLICY'),
      { pcr: 2, type: 'EV_EFI_SPDM_FIRMWARE_BLOB', data: ascii('SPDM Device Sec2'), hashed: ascii('firmware') },
      { pcr: 3, type: 'EV_EFI_SPDM_FIRMWARE_CONFIG', data: ascii('SPDM Device Sec2'), hashed: ascii('settings') },
      devdb('EV_EFI_SPDM_DEVICE_AUTHORITY'),
      ...separators(),
      dbAuthority(),
    ]
    const shown = expectReplay(agileLog(events, ['sha384']), events, ['sha384'])
    expect(shown.secureBoot).toMatchObject({ enabled: true, problems: [] })
  })

  test('what was extended into NV indices instead of PCRs', () => {
    const dynamic = (filler: string) =>
      Buffer.concat([
        ascii(`NvIndexDynamic${filler}`.padEnd(16, '\0')),
        Buffer.alloc(16),
        Buffer.from([14, 0]),
        ascii('SPDM CHALLENGE'),
      ])
    const events: EventSpec[] = [
      ...goodBoot(),
      noAction(Buffer.concat([ascii('NvIndexInstance\0'), Buffer.alloc(8)]), 0x01c40200),
      noAction(dynamic(' '), 0x01c40201),
      noAction(dynamic(''), 0x01c40201),
      { pcr: 0x01c40201, type: 'EV_EFI_SPDM_FIRMWARE_BLOB', data: ascii('x') },
    ]
    const shown = inspectEventLog(agileLog(events), hash)
    expect(shown.pcrs).toEqual(inspectEventLog(agileLog(goodBoot()), hash).pcrs)
    expect(shown.secureBoot).toMatchObject({ enabled: true, problems: [] })
    expect(shown.events.slice(-4).map(({ pcr, extended, description }) => [pcr, extended, description])).toEqual([
      [null, false, 'certificates of a device, in an NV index'],
      [null, false, 'exchange with a device, in an NV index: SPDM CHALLENGE'],
      [null, false, 'exchange with a device, in an NV index: SPDM CHALLENGE'],
      [null, false, 'x'],
    ])
  })

  test('authorities of option ROMs before the separator, and repeated', () => {
    const events = [...secureBootVariables(), dbAuthority(), dbAuthority(), separator(7), dbAuthority(), dbAuthority()]
    const { secureBoot } = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
    expect(secureBoot).toMatchObject({ enabled: true, problems: [] })
    expect(secureBoot.authorities.map(({ phase }) => phase)).toEqual([
      'before-separator',
      'before-separator',
      'after-separator',
      'after-separator',
    ])
  })

  test('an image that its hash in db allows', () => {
    const image = Buffer.alloc(32, 9)
    const variables = [...secureBootVariables().slice(0, 3), configuration('db', SECURITY, hashList(image))]
    const events = [...variables, configuration('dbx', SECURITY, Buffer.alloc(0)), separator(7), dbAuthority(image)]
    expect(inspectEventLog(agileLog(events), hash).secureBoot).toMatchObject({ enabled: true, problems: [] })
  })
})

describe('Linux', () => {
  const firmware = [...secureBootVariables(), ...separators(), dbAuthority()]

  test('shim with what it takes from the owner and from its vendor', () => {
    const shimVariable = (name: string, value: Uint8Array) => authority(name, SHIM, value)
    const events: EventSpec[] = [
      ...firmware,
      shimVariable('SbatLevel', ascii('sbat,1,2023012900\nshim,2\n')),
      shimVariable('MokListTrusted', Buffer.from([1])),
      shimVariable('MokListX', hashList(Buffer.alloc(32))),
      authority('vendor_db', SECURITY, Buffer.concat([OWNER, certificate('Vendor')])),
      shimVariable('MokList', certificate('Owner')),
      shimVariable('Shim', certificate('Vendor')),
      ...['MokList', 'MokListX', 'MokListTrusted', 'SbatLevel', 'MokSBState'].map((name): EventSpec => {
        return { pcr: 14, type: 'EV_IPL', data: ascii(`${name}\0`), hashed: ascii(`value of ${name}`) }
      }),
    ]
    const { secureBoot, events: shown } = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
    expect(secureBoot).toMatchObject({ enabled: true, problems: [], weaknesses: [] })
    expect(secureBoot.authorities.map(({ variable }) => variable)).toContain('vendor_db')
    expect(shown.at(-1)?.description).toBe('MokSBState, by shim')
  })

  test('old shim: an authority without owner, and a byte that was not hashed', () => {
    const data = variableData('db', SECURITY, DB_CERTIFICATE)
    const old: EventSpec = {
      pcr: 7,
      type: 'EV_EFI_VARIABLE_AUTHORITY',
      data: Buffer.concat([data, Buffer.alloc(2)]),
      hashed: Buffer.concat([data, Buffer.alloc(1)]),
    }
    const events = [...secureBootVariables(), ...separators(), old]
    expect(inspectEventLog(agileLog(events), hash).secureBoot).toMatchObject({ enabled: true, problems: [] })
  })

  test('a boot loader that measures into PCR 7 what no digest explains leaves Secure Boot open', () => {
    const events: EventSpec[] = [
      ...firmware,
      { pcr: 7, type: 'EV_IPL', data: ascii('verified'), hashed: ascii('image') },
    ]
    const { secureBoot } = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
    expect(secureBoot).toMatchObject({ enabled: 'unknown', problems: [{ code: 'eventlog.digest-mismatch' }] })
  })
})

describe('Windows', () => {
  test('one bank, tagged events in PCRs 11 to 14, and notes that belong to no PCR', () => {
    const tag = (pcr: number): EventSpec => ({
      pcr,
      type: 'EV_EVENT_TAG',
      data: Buffer.concat([u32(0x40010001), u32(9), u32(0x00050001), u32(1), Buffer.from([0])]),
    })
    const events: EventSpec[] = [
      ...secureBootVariables(),
      ...separators(),
      dbAuthority(),
      { pcr: 11, type: 'EV_COMPACT_HASH', data: u32(0x10) },
      tag(12),
      tag(13),
      tag(14),
      ...[12, 13, 14].map((pcr): EventSpec => ({ pcr, type: 'EV_SEPARATOR', data: ascii('WBCL') })),
      noAction(Buffer.concat([u32(0xc0010004), u32(4), u32(0)]), NO_PCR),
      { pcr: NO_PCR, type: 'EV_EVENT_TAG', data: u64(0) },
    ]
    const log = Buffer.concat([
      specIdEvent(['sha1', 'sha256']),
      ...events.map((event) => agileEvent(event, ['sha256'])),
    ])
    const shown = expectReplay(log, events, ['sha256'])
    expect(shown.pcrs.sha1).toEqual({})
    expect(shown.secureBoot).toMatchObject({ enabled: true, problems: [] })
    expect(shown.events.at(-1)).toMatchObject({ pcr: null, extended: false })
  })

  test('a log that announces SHA-256 and has only SHA-1 is shown by SHA-1', () => {
    const log = Buffer.concat([specIdEvent(['sha1', 'sha256']), ...goodBoot().map((one) => agileEvent(one, ['sha1']))])
    expect(expectReplay(log, goodBoot(), ['sha1']).secureBoot).toMatchObject({ enabled: true, problems: [] })
  })

  test('a dynamic launch measures into PCRs that it set to zeros', () => {
    const events = [17, 18, 19, 20, 22].map((pcr): EventSpec => {
      return { pcr, type: 'EV_EVENT_TAG', data: Buffer.concat([u32(0x000c0002), u32(1), Buffer.from([pcr])]) }
    })
    const shown = inspectEventLog(agileLog([...goodBoot(), ...events]), hash)
    for (const { pcr, data } of events) {
      const expected = digestOf('sha256', Buffer.concat([Buffer.alloc(32), digestOf('sha256', data)]))
      expect(shown.pcrs.sha256?.[String(pcr)]).toBe(expected.toString('hex'))
    }
    expect(shown.events.at(-1)?.description).toBe('dynamic launch SMM isolation level, by Windows 22')
  })
})

describe('virtual machines', () => {
  test('a TDX log: registers count from one, padding of ones, an index of no register', () => {
    const events: EventSpec[] = [
      { pcr: 1, type: 'EV_EFI_HANDOFF_TABLES2', data: Buffer.concat([Buffer.from([2]), ascii('TD'), u64(0)]) },
      ...secureBootVariables().map((event) => ({ ...event, pcr: 1 })),
      separator(1),
      { pcr: 2, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data: Buffer.alloc(32), hashed: ascii('shim') },
      { pcr: 3, type: 'EV_IPL', data: ascii('kernel_cmdline: /vmlinuz\0'), hashed: ascii('/vmlinuz') },
      noAction(ascii('note'), NO_PCR),
    ]
    const log = Buffer.concat([agileLog(events, ['sha384']), Buffer.alloc(4096, 0xff)])
    const shown = expectReplay(log, events, ['sha384'])
    expect(shown.secureBoot.enabled).toBe('unknown')
    expect(shown.secureBoot.problems.map(({ code }) => code)).toContain('eventlog.variable-missing')
  })

  test('SM3 beside SHA-256: the unknown bank is skipped, the known one replayed', () => {
    const header = inspectable([
      [0x0b, 32],
      [0x12, 32],
    ])
    const events = goodBoot()
    const log = Buffer.concat([header, ...events.map((event) => withSm3(agileEvent(event, ['sha256'])))])
    const shown = expectReplay(log, events, ['sha256'])
    expect(Object.keys(shown.pcrs)).toEqual(['sha256'])
    expect(shown.secureBoot.enabled).toBe(true)
  })

  test.each(['SP800-155 Event\0', 'SP800-155 Event2', 'SP800-155 Event3'])(
    '%j before, between and after',
    (signature) => {
      const note = noAction(Buffer.concat([ascii(signature), u32(1), guid('1a504613-19b5-4b44-a83d-d926d40daa1c')]))
      const events = [note, ...goodBoot().flatMap((event) => [event, { ...note, pcr: event.pcr }])]
      const shown = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
      expect(shown.secureBoot).toMatchObject({ enabled: true, problems: [] })
      expect(shown.events[1]?.description).toContain('firmware reference manifest 1a504613')
    },
  )

  test('firmware without a version, an action in UTF-16', () => {
    const events: EventSpec[] = [
      { pcr: 0, type: 'EV_S_CRTM_VERSION', data: utf16('\0') },
      { pcr: 4, type: 'EV_EFI_ACTION', data: utf16('Calling EFI Application') },
    ]
    const shown = expectReplay(agileLog(events), events, ['sha1', 'sha256'])
    expect(shown.events.map(({ description }) => description).slice(1)).toEqual([
      'firmware version not given',
      'Calling EFI Application',
    ])
  })
})

function inspectable(algorithms: readonly (readonly [number, number])[]): Buffer {
  const data = specIdData(algorithms)
  return Buffer.concat([u32(0), u32(3), Buffer.alloc(20), u32(data.length), data])
}

/** The event with a second digest, of an algorithm that cannot be computed here. */
function withSm3(event: Buffer): Buffer {
  const count = 8
  const digests = count + 4
  const first = 2 + 32
  return Buffer.concat([
    event.subarray(0, count),
    u32(2),
    event.subarray(digests, digests + first),
    Buffer.from([0x12, 0]),
    Buffer.alloc(32, 7),
    event.subarray(digests + first),
  ])
}
