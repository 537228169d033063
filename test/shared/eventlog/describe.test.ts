import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { EVENT_TYPE, type EventTypeName } from '../../../shared/eventlog/constants.ts'
import { devicePathText } from '../../../shared/eventlog/decode/device-path.ts'
import { guidText } from '../../../shared/eventlog/decode/guid.ts'
import { describeEvent } from '../../../shared/eventlog/describe.ts'
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
    ['EV_SEPARATOR', Buffer.alloc(4), 0, 'separator'],
    ['EV_SEPARATOR', u32(1), 0, 'separator after a firmware error'],
    ['EV_S_CRTM_VERSION', utf16('GCE Virtual Firmware v1\0'), 0, 'firmware version GCE Virtual Firmware v1'],
    ['EV_S_CRTM_VERSION', PARTITION, 0, 'firmware version 1a504613-19b5-4b44-a83d-d926d40daa1c'],
    ['EV_EFI_VARIABLE_DRIVER_CONFIG', variableData('SecureBoot', GLOBAL, Buffer.from([1])), 7, 'SecureBoot: on'],
    ['EV_EFI_VARIABLE_DRIVER_CONFIG', variableData('dbx', SECURITY, Buffer.alloc(0)), 7, 'dbx: empty'],
    [
      'EV_EFI_VARIABLE_DRIVER_CONFIG',
      variableData('db', SECURITY, Buffer.concat([certificateList(certificate('A')), hashList(Buffer.alloc(32))])),
      7,
      'db: certificate A, 1 image hashes',
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
    ['EV_IPL', ascii('/vmlinuz\0'), 9, 'file /vmlinuz'],
    ['EV_IPL', utf16('.linux\0'), 11, 'content of section .linux of the unified kernel image'],
    ['EV_IPL', utf16('ro quiet\0'), 12, 'kernel configuration: ro quiet'],
    ['EV_IPL', ascii('MokList\0'), 14, 'MokList, by shim'],
    ['EV_COMPACT_HASH', Buffer.from([0x10, 0, 0, 0]), 11, '10000000'],
  ])('%s %#', (type, data, pcr, expected) => {
    expect(text(type, data, pcr)).toBe(expected)
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

describe('device paths', () => {
  test.each([
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

test('any data of any type has a description, and is not changed by it', () => {
  const types = [...Object.values(EVENT_TYPE), 0x12345678]
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.nat(23), fc.uint8Array({ maxLength: 200 }), (claimedType, pcr, bytes) => {
      const data = Buffer.from(bytes)
      expect(describeEvent({ pcr, claimedType, data }, hash)).not.toBe('')
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
  ]
  for (const [type, sample] of samples) {
    for (let offset = 0; offset < sample.length; offset++) {
      for (const value of [0, 0x7f, 0xff]) {
        const damaged = Buffer.from(sample)
        damaged[offset] = value
        expect(text(type, damaged)).not.toBe('')
      }
      expect(text(type, sample.subarray(0, offset))).not.toBe('')
    }
  }
})
