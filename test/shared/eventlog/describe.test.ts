import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { EVENT_TYPE, type EventTypeName } from '../../../shared/eventlog/constants.ts'
import { devicePathText } from '../../../shared/eventlog/decode/device-path.ts'
import { guidText } from '../../../shared/eventlog/decode/guid.ts'
import { describeEvent } from '../../../shared/eventlog/describe.ts'
import { isPrintable } from '../../../shared/text/printable.ts'
import {
  ascii,
  certificate,
  certificateList,
  GLOBAL,
  guid,
  hashList,
  OWNER,
  SECURITY,
  SHIM,
  specIdData,
  startupLocality,
  u16,
  u32,
  u64,
  utf16,
  variableData,
} from '../../support/eventlog-builder.ts'

const text = (type: EventTypeName, data: Uint8Array, pcr = 0) =>
  describeEvent({ pcr, claimedType: EVENT_TYPE[type], data }, hash)
const sized = (value: string) => Buffer.concat([Buffer.from([value.length]), ascii(value)])
const node = (type: number, subtype: number, data: Buffer) =>
  Buffer.concat([Buffer.from([type, subtype]), u16(data.length + 4), data])

const END = node(0x7f, 0xff, Buffer.alloc(0))
const PARTITION = guid('1a504613-19b5-4b44-a83d-d926d40daa1c')
const PATH = Buffer.concat([
  node(2, 1, Buffer.concat([u32(0x0a0341d0), u32(0)])),
  node(1, 1, Buffer.from([1, 0x17])),
  node(3, 18, Buffer.concat([u16(0), u16(0xffff), u16(0)])),
  node(4, 1, Buffer.concat([u32(1), u64(2048), u64(4096), PARTITION, Buffer.from([2, 2])])),
  node(4, 4, utf16('\\EFI\\BOOT\\BOOTX64.EFI\0')),
  END,
])
const PATH_TEXT =
  'PciRoot(0x0)/Pci(0x17,0x1)/Sata(0,65535,0)/HD(1,GPT,1a504613-19b5-4b44-a83d-d926d40daa1c)/\\EFI\\BOOT\\BOOTX64.EFI'
const image = (path: Buffer) => Buffer.concat([u64(1), u64(2), u64(3), u64(path.length), path])
const loadOption = (attributes: number) => Buffer.concat([u32(attributes), u16(PATH.length), utf16('Linux\0'), PATH])
const gpt = (count: number) => {
  const header = Buffer.alloc(92)
  ascii('EFI PART').copy(header)
  PARTITION.copy(header, 56)
  u32(128).copy(header, 84)
  const name = Buffer.alloc(72)
  utf16('root').copy(name)
  const entry = Buffer.concat([guid('c12a7328-f81f-11d2-ba4b-00a0c93ec93b'), OWNER, u64(34), u64(99), u64(0), name])
  return Buffer.concat([header, u64(count), ...Array.from({ length: count }, () => entry)])
}

describe('in words', () => {
  test.each<[EventTypeName, Buffer, number, string]>([
    [
      'EV_NO_ACTION',
      specIdData([
        [4, 20],
        [0x12, 32],
      ]),
      0,
      'log in crypto-agile format, specification 2.0.0, banks sha1, 0x12',
    ],
    ['EV_NO_ACTION', Buffer.from(startupLocality(3).data), 0, 'TPM started from locality 3'],
    [
      'EV_NO_ACTION',
      Buffer.concat([ascii('SP800-155 Event\0'), u32(1), OWNER]),
      0,
      'firmware reference manifest 77fa9abd-0359-4d32-bd60-28f4e78f784b',
    ],
    [
      'EV_NO_ACTION',
      Buffer.concat([
        ascii('SP800-155 Event2'),
        u32(1),
        OWNER,
        ...['HP', 'ZBook', '1', 'HP'].map(sized),
        u32(2),
        sized('4.2'),
      ]),
      0,
      'firmware reference manifest 77fa9abd-0359-4d32-bd60-28f4e78f784b for HP ZBook 1 with firmware HP 4.2',
    ],
    [
      'EV_NO_ACTION',
      Buffer.concat([ascii('SP800-155 Event3'), u32(1), OWNER, sized('HP')]),
      0,
      'firmware reference manifest 77fa9abd-0359-4d32-bd60-28f4e78f784b',
    ],
    [
      'EV_NO_ACTION',
      Buffer.concat([u32(0xc0010004), u32(11), u32(0x80080003), u32(3), ascii('key')]),
      0,
      'trust point, by Windows: attestation key id of 3 bytes',
    ],
    ['EV_NO_ACTION', Buffer.concat([u32(0xc0010004), u32(900), ascii('cut')]), 0, 'trust point, by Windows of 3 bytes'],
    ['EV_SEPARATOR', Buffer.alloc(4), 0, 'separator'],
    ['EV_SEPARATOR', ascii('WBCL'), 12, 'separator WBCL'],
    ['EV_SEPARATOR', u32(1), 0, 'separator after a firmware error'],
    ['EV_S_CRTM_VERSION', utf16('GCE Virtual Firmware v1\0'), 0, 'firmware version GCE Virtual Firmware v1'],
    ['EV_S_CRTM_VERSION', Buffer.alloc(2), 0, 'firmware version not given'],
    ['EV_S_CRTM_VERSION', Buffer.concat([ascii('M60\0\0'), Buffer.alloc(40, 0xfe)]), 0, 'firmware version M60'],
    ['EV_S_CRTM_VERSION', Buffer.concat([utf16('N1\0'), Buffer.alloc(40, 0xfe)]), 0, 'firmware version N1'],
    ['EV_S_CRTM_VERSION', Buffer.from([0xfe, 1, 2]), 0, 'fe0102'],
    ['EV_S_CRTM_CONTENTS', ascii('Boot Guard Measured S-CRTM\0'), 0, 'Boot Guard Measured S-CRTM'],
    ['EV_S_CRTM_CONTENTS', Buffer.concat([u64(0xff00), u64(512)]), 0, 'firmware of 512 bytes at 0xff00'],
    ['EV_EFI_HCRTM_EVENT', ascii('HCRTM'), 0, 'hardware root of trust: HCRTM'],
    [
      'EV_EFI_HANDOFF_TABLES',
      Buffer.concat([u64(2), guid('eb9d2d31-2d88-11d3-9a16-0090273fc14d'), u64(1), OWNER, u64(2)]),
      1,
      'SMBIOS table, 77fa9abd-0359-4d32-bd60-28f4e78f784b',
    ],
    [
      'EV_EFI_HANDOFF_TABLES',
      Buffer.concat([u64(2), OWNER, u64(1)]),
      1,
      '0200000000000000bd9afa775903324d… (32 bytes)',
    ],
    [
      'EV_EFI_HANDOFF_TABLES2',
      Buffer.concat([sized('SmbiosTable'), u64(1), guid('f2fd1544-9794-4a2c-992e-e5bbcf20e394'), u64(1)]),
      1,
      'SmbiosTable: SMBIOS 3.0 table',
    ],
    ['EV_EFI_HANDOFF_TABLES2', Buffer.concat([sized('None'), u64(0)]), 1, 'None: no tables'],
    ['EV_EFI_SPDM_FIRMWARE_BLOB', ascii('SPDM Device Sec2....'), 2, 'measurement of a device by SPDM, 20 bytes'],
    ['EV_EFI_SPDM_DEVICE_POLICY', variableData('devdb', SECURITY, Buffer.alloc(0)), 7, 'devdb: empty'],
    [
      'EV_EFI_SPDM_DEVICE_AUTHORITY',
      variableData('devdb', SECURITY, Buffer.concat([OWNER, certificate('A')])),
      7,
      'devdb allowed by certificate A',
    ],
    ['EV_TABLE_OF_DEVICES', ascii('dtb'), 1, 'dtb'],
    ['EV_EFI_VARIABLE_BOOT', variableData('BootNext', GLOBAL, u16(3)), 1, 'BootNext: Boot0003'],
    ['EV_EFI_VARIABLE_DRIVER_CONFIG', variableData('Lang', GLOBAL, ascii('eng')), 1, 'Lang: eng'],
    [
      'EV_EFI_VARIABLE_AUTHORITY',
      variableData('vendor_db', SHIM, Buffer.concat([OWNER, certificate('A')])),
      7,
      'vendor_db allowed by certificate A',
    ],
    ['EV_S_CRTM_VERSION', PARTITION, 0, 'firmware version 1a504613-19b5-4b44-a83d-d926d40daa1c'],
    ['EV_EFI_VARIABLE_DRIVER_CONFIG', variableData('SecureBoot', GLOBAL, Buffer.from([1])), 7, 'SecureBoot: on'],
    ['EV_EFI_VARIABLE_DRIVER_CONFIG', variableData('dbx', SECURITY, Buffer.alloc(0)), 7, 'dbx: empty'],
    [
      'EV_EFI_VARIABLE_DRIVER_CONFIG',
      variableData('db', SECURITY, Buffer.concat([certificateList(certificate('A')), hashList(Buffer.alloc(32))])),
      7,
      'db: certificate A, 1 image hash',
    ],
    [
      'EV_EFI_VARIABLE_AUTHORITY',
      variableData('db', SECURITY, Buffer.concat([OWNER, certificate('A')])),
      7,
      'db allowed by certificate A',
    ],
    [
      'EV_EFI_VARIABLE_AUTHORITY',
      variableData('SbatLevel', SHIM, ascii('sbat,1,2021030218\n')),
      7,
      'SbatLevel: revocations of 2021030218',
    ],
    [
      'EV_EFI_VARIABLE_BOOT',
      variableData('BootOrder', GLOBAL, Buffer.concat([u16(1), u16(0x2a)])),
      1,
      'BootOrder: Boot0001, Boot002A',
    ],
    ['EV_EFI_VARIABLE_BOOT', variableData('Boot0001', GLOBAL, loadOption(1)), 1, `Boot0001: Linux at ${PATH_TEXT}`],
    [
      'EV_EFI_VARIABLE_BOOT',
      variableData('Boot0001', GLOBAL, loadOption(0)),
      1,
      `Boot0001: Linux at ${PATH_TEXT} (inactive)`,
    ],
    ['EV_EFI_BOOT_SERVICES_APPLICATION', image(PATH), 4, `application ${PATH_TEXT}`],
    ['EV_EFI_BOOT_SERVICES_DRIVER', image(Buffer.alloc(0)), 2, 'driver of 2 bytes'],
    [
      'EV_NONHOST_INFO',
      Buffer.concat([ascii('GCE NonHostInfo\0'), Buffer.from([1]), Buffer.alloc(15)]),
      0,
      'GCE NonHostInfo',
    ],
    ['EV_EFI_GPT_EVENT', gpt(1), 5, 'disk 1a504613-19b5-4b44-a83d-d926d40daa1c: root (EFI system partition)'],
    ['EV_EFI_GPT_EVENT', gpt(0), 5, 'disk 1a504613-19b5-4b44-a83d-d926d40daa1c: no partitions'],
    ['EV_EFI_PLATFORM_FIRMWARE_BLOB', Buffer.concat([u64(0xff00), u64(512)]), 0, 'firmware of 512 bytes at 0xff00'],
    [
      'EV_EFI_PLATFORM_FIRMWARE_BLOB2',
      Buffer.concat([Buffer.from([3]), ascii('DXE'), u64(0xff00), u64(512)]),
      0,
      'DXE of 512 bytes at 0xff00',
    ],
    ['EV_POST_CODE', ascii('ACPI DATA'), 0, 'ACPI DATA'],
    ['EV_POST_CODE', Buffer.concat([u64(0xff00), u64(512)]), 0, 'firmware of 512 bytes at 0xff00'],
    [
      'EV_EVENT_TAG',
      Buffer.concat([u32(0x8f3b22ec), u32(13), ascii('Linux initrd\0')]),
      9,
      'initrd, by the Linux EFI stub: Linux initrd',
    ],
    [
      'EV_EVENT_TAG',
      Buffer.concat([u32(0xf5bc582a), u32(24), utf16('loader.conf\0')]),
      5,
      'boot loader configuration, by systemd-boot: loader.conf',
    ],
    ['EV_IPL', ascii('grub_cmd: set root=hd0\0'), 8, 'boot loader command set root=hd0'],
    ['EV_IPL', ascii('grub_cmd linux /vmlinuz\0'), 8, 'boot loader command linux /vmlinuz'],
    ['EV_IPL', ascii('kernel_cmdline: /vmlinuz ro\0'), 8, 'kernel command line /vmlinuz ro'],
    ['EV_IPL', ascii('grub_kernel_cmdline /vmlinuz ro\0'), 8, 'kernel command line /vmlinuz ro'],
    ['EV_IPL', ascii('module_cmdline: /xen\0'), 8, 'boot module /xen'],
    ['EV_IPL', utf16('root=/dev/vda quiet\0'), 8, 'kernel command line root=/dev/vda quiet'],
    ['EV_IPL', ascii('set x\u001b[31m\ny\0'), 9, '73657420781b5b33316d0a7900'],
    ['EV_IPL', ascii('menuentry a {\n}\0'), 8, 'boot loader command menuentry a {\\u{a}}'],
    ['EV_IPL', utf16('Credentials initrd\0'), 12, 'Credentials initrd, by systemd-stub'],
    ['EV_IPL', utf16('Sysext initrd\0'), 13, 'Sysext initrd, by systemd-stub'],
    ['EV_IPL', utf16('other\0'), 13, 'system extension other'],
    ['EV_IPL', ascii('MBR'), 4, 'MBR'],
    ['EV_IPL', ascii('/vmlinuz\0'), 9, 'file /vmlinuz'],
    ['EV_IPL', utf16('.linux\0'), 11, 'content of section .linux of the unified kernel image'],
    ['EV_IPL', utf16('ro quiet\0'), 12, 'kernel configuration: ro quiet'],
    ['EV_IPL', ascii('MokList\0'), 14, 'MokList, by shim'],
    ['EV_COMPACT_HASH', Buffer.from([0x10, 0, 0, 0]), 11, '10000000'],
  ])('%s %#', (type, data, pcr, expected) => {
    expect(text(type, data, pcr)).toBe(expected)
  })

  test.each([
    [0x402, Buffer.alloc(3), 'TXT SINIT module, 3 bytes'],
    [0x10000000, ascii('GRTMv1'), 'dynamic launch, by Google: GRTMv1'],
    [0x12345678, ascii('text'), 'text'],
  ])('a type outside of the profile: 0x%s', (claimedType, data, expected) => {
    expect(describeEvent({ pcr: 17, claimedType, data }, hash)).toBe(expected)
  })

  test('a text as long as the log is cut', () => {
    const shown = text('EV_IPL', ascii(`grub_cmd: ${'x'.repeat(1_000_000)}`), 8)
    expect(shown).toHaveLength(4097)
    expect(shown.endsWith('…')).toBe(true)
  })

  test('the proven half of a pair in PCR 11 is the name', () => {
    const event = {
      pcr: 11,
      claimedType: EVENT_TYPE.EV_IPL,
      data: utf16('.linux\0'),
      coverage: 'section-name' as const,
    }
    expect(describeEvent(event, hash)).toBe('name of section .linux of the unified kernel image')
  })
})

const tagged = (id: number, data: Buffer) => Buffer.concat([u32(id), u32(data.length), data])

describe('the boot configuration log of Windows', () => {
  test.each([
    [tagged(0x00060002, Buffer.alloc(294)), 'authority public key, by Windows of 294 bytes'],
    [tagged(0x00020002, u64(17)), 'boot counter, by Windows 17'],
    [
      tagged(
        0x40010001,
        Buffer.concat([
          tagged(0x00050001, Buffer.from([0])),
          tagged(0x00050002, Buffer.from([1])),
          tagged(
            0x40010003,
            Buffer.concat([tagged(0x00070001, utf16('\\winload.efi\0')), tagged(0x0007000a, Buffer.from([1]))]),
          ),
          tagged(0x000fffff, u32(5)),
        ]),
      ),
      'trust boundary, by Windows: kernel debugging 0, code integrity 1, ' +
        'loaded module (file \\winload.efi, image validated 1), tag 0xfffff 5',
    ],
    [tagged(0x40010001, ascii('no tags')), 'trust boundary, by Windows of 7 bytes'],
    [tagged(0x00070001, Buffer.from([1, 2, 3])), 'file, by Windows of 3 bytes'],
    [
      tagged(0x40010001, Buffer.concat(Array.from({ length: 30 }, () => tagged(0x00050001, Buffer.from([0]))))),
      `trust boundary, by Windows: ${'kernel debugging 0, '.repeat(24)}6 more`,
    ],
  ])('%#', (data, expected) => {
    expect(text('EV_EVENT_TAG', data, 13)).toBe(expected)
  })

  test('aggregations within each other without end are not followed', () => {
    let data = Buffer.alloc(0)
    for (let depth = 0; depth < 10_000; depth++) data = tagged(0x40010001, data)
    expect(text('EV_EVENT_TAG', data, 13)).toContain('bytes')
  })
})

describe('device paths', () => {
  test.each([
    [node(1, 2, Buffer.from([1])), 'PcCard(0x1)'],
    [node(1, 5, u32(2)), 'Ctrl(0x2)'],
    [node(1, 6, Buffer.concat([Buffer.from([1]), u64(0xca2)])), 'BMC(0x1,0xca2)'],
    [node(1, 4, PARTITION), 'VenHw(1a504613-19b5-4b44-a83d-d926d40daa1c)'],
    [node(2, 1, Buffer.concat([u32(0x0a0841d0), u32(1)])), 'PcieRoot(0x1)'],
    [node(2, 1, Buffer.concat([u32(0x0c0f41d0), u32(0)])), 'Acpi(PNP0C0F,0x0)'],
    [node(2, 1, Buffer.concat([u32(0x1234), u32(0)])), 'Acpi(0x1234,0x0)'],
    [
      node(2, 2, Buffer.concat([u32(0x0a0841d0), u32(2), u32(0x0a0341d0), Buffer.alloc(3)])),
      'AcpiEx(PNP0A08,PNP0A03,0x2)',
    ],
    [node(2, 3, u32(0x80010100)), 'AcpiAdr(0x80010100)'],
    [node(3, 2, Buffer.concat([u16(1), u16(0)])), 'Scsi(1,0)'],
    [node(3, 3, Buffer.concat([u32(0), u64(0x10), u64(1)])), 'Fibre(0x10,0x1)'],
    [node(3, 4, Buffer.concat([u32(0), u64(0x10)])), 'I1394(0x10)'],
    [
      node(3, 11, Buffer.concat([Buffer.from([0xde, 0xad, 0xbe, 0xef, 0, 1]), Buffer.alloc(27)])),
      'MAC(de:ad:be:ef:00:01)',
    ],
    [
      node(3, 12, Buffer.concat([Buffer.from([192, 0, 2, 1, 192, 0, 2, 2]), u32(0), u16(6), Buffer.from([1])])),
      'IPv4(192.0.2.2,TCP,Static,192.0.2.1)',
    ],
    [
      node(3, 13, Buffer.concat([Buffer.alloc(32, 1), u32(0), u16(17)])),
      `IPv6(${Array(8).fill('0101').join(':')},UDP,${Array(8).fill('0101').join(':')})`,
    ],
    [node(3, 14, Buffer.concat([u32(0), u64(115200), Buffer.from([8, 1, 1])])), 'Uart(115200,8,N,1)'],
    [node(3, 16, Buffer.concat([u16(0), u16(0x1d6b), u16(2), utf16('serial')])), 'UsbWwid(0x1d6b,0x2,0,serial)'],
    [node(3, 17, Buffer.from([3])), 'Unit(3)'],
    [
      node(3, 19, Buffer.concat([Buffer.alloc(14), ascii('iqn.2001-04.com.example')])),
      'iSCSI(iqn.2001-04.com.example)',
    ],
    [node(3, 20, u16(7)), 'Vlan(7)'],
    [node(3, 24, ascii('http://boot/')), 'Uri(http://boot/)'],
    [node(3, 25, Buffer.from([0, 1])), 'UFS(0,1)'],
    [node(3, 28, Buffer.concat([ascii('net'), Buffer.alloc(29)])), 'Wi-Fi(net)'],
    [node(3, 31, Buffer.concat([Buffer.from([0, 192, 0, 2, 1]), Buffer.alloc(12)])), 'Dns(192.0.2.1)'],
    [
      node(4, 1, Buffer.concat([u32(2), u64(1), u64(2), u32(0xdeadbeef), Buffer.alloc(12), Buffer.from([1, 1])])),
      'HD(2,MBR,0xdeadbeef)',
    ],
    [node(4, 9, Buffer.concat([u64(1), u64(2), Buffer.alloc(18)])), 'RamDisk(0x1,0x2)'],
    [node(5, 1, Buffer.concat([u16(2), u16(0), ascii('Harddisk1\0')])), 'BBS(Harddisk1)'],
    [
      Buffer.concat([
        node(3, 5, Buffer.from([2, 1])),
        node(0x7f, 1, Buffer.alloc(0)),
        node(3, 26, Buffer.from([0])),
        END,
      ]),
      'USB(2,1),SD(0)',
    ],
    [node(3, 23, Buffer.concat([u32(1), Buffer.from([1, 2, 3, 4, 5, 6, 7, 8])])), 'NVMe(1,08-07-06-05-04-03-02-01)'],
    [node(3, 5, Buffer.from([2, 1])), 'USB(2,1)'],
    [node(4, 8, Buffer.concat([u32(0), u64(0x10), u64(0x20)])), 'Offset(0x10,0x20)'],
    [node(4, 6, PARTITION), 'FvFile(1a504613-19b5-4b44-a83d-d926d40daa1c)'],
    [node(9, 9, Buffer.alloc(3)), 'Path(9,9)'],
    [node(3, 18, Buffer.alloc(1)), 'Path(3,18)'],
  ])('%#', (path, expected) => {
    expect(devicePathText(path)).toBe(expected)
  })

  test('a node shorter than its header ends the reading', () => {
    expect(devicePathText(Buffer.from([1, 1, 0, 0]))).toBeUndefined()
  })
})

test('any data of any type has a printable description, and is not changed by it', () => {
  const types = [...Object.values(EVENT_TYPE), 0x12345678, 0x402]
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.nat(23), fc.uint8Array({ maxLength: 200 }), (claimedType, pcr, bytes) => {
      const data = Buffer.from(bytes)
      const description = describeEvent({ pcr, claimedType, data }, hash)
      expect(description).not.toBe('')
      expect(isPrintable(description)).toBe(true)
      expect(data).toEqual(Buffer.from(bytes))
    }),
  )
})

test('reading a GUID out of a Buffer leaves the Buffer as it was', () => {
  const bytes = Buffer.from(PARTITION)
  expect(guidText(bytes)).toBe('1a504613-19b5-4b44-a83d-d926d40daa1c')
  expect(guidText(bytes)).toBe('1a504613-19b5-4b44-a83d-d926d40daa1c')
})

test('any damage to structured data has a description', () => {
  const samples: [EventTypeName, Buffer][] = [
    ['EV_EFI_GPT_EVENT', gpt(2)],
    ['EV_EFI_BOOT_SERVICES_APPLICATION', image(PATH)],
    ['EV_EFI_VARIABLE_BOOT', variableData('Boot0001', GLOBAL, loadOption(1))],
    ['EV_EFI_VARIABLE_DRIVER_CONFIG', variableData('db', SECURITY, certificateList(certificate('A')))],
    ['EV_EVENT_TAG', tagged(0x40010001, tagged(0x40010003, tagged(0x00070001, utf16('\\winload.efi\0'))))],
    ['EV_EFI_HANDOFF_TABLES2', Buffer.concat([sized('SmbiosTable'), u64(1), OWNER, u64(1)])],
    ['EV_NO_ACTION', Buffer.concat([ascii('SP800-155 Event3'), u32(1), OWNER, sized('HP')])],
  ]
  for (const [type, sample] of samples) {
    for (let offset = 0; offset < sample.length; offset++) {
      for (const value of [0, 0x7f, 0xff]) {
        const damaged = Buffer.from(sample)
        damaged[offset] = value
        expect(text(type, damaged)).not.toBe('')
        expect(isPrintable(text(type, damaged))).toBe(true)
      }
      expect(text(type, sample.subarray(0, offset))).not.toBe('')
    }
  }
})
