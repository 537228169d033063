import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBootLoader, readEfiPrograms } from '../../../../agent/sensors/patch-level/boot-loaders.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'

const VARIABLE = '/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'
const variable = (text: string) => Buffer.concat([Buffer.from([6, 0, 0, 0]), Buffer.from(`${text}\0`, 'utf16le')])

describe('what started the kernel tells its version', () => {
  test.each<[string, Tree, { name: string; version: string }]>([
    [
      'U-Boot',
      { '/proc/device-tree/chosen/u-boot,version': '2024.01-g1\0' },
      { name: 'u-boot', version: '2024.01-g1' },
    ],
    [
      'the Raspberry Pi',
      { '/proc/device-tree/chosen/bootloader/version': 'a1b2c3\0' },
      { name: 'raspberry-pi', version: 'a1b2c3' },
    ],
    ['systemd-boot', { [VARIABLE]: variable('systemd-boot 252.5') }, { name: 'loader', version: 'systemd-boot 252.5' }],
    [
      'with a direction mark in it',
      { [VARIABLE]: variable('a\u202eb') },
      { name: 'loader', version: 'a\\xe2\\x80\\xaeb' },
    ],
  ])('%s', (_, tree, expected) => {
    expect(readBootLoader(treeHost(tree))).toEqual({ value: [expected] })
  })

  test('or it does not', () => {
    expect(readBootLoader(treeHost({}))).toEqual({ missing: 'absent' })
    expect(readBootLoader(withoutPermission(treeHost({ [VARIABLE]: variable('x') }), VARIABLE))).toEqual({
      missing: 'no-permission',
    })
    expect(readBootLoader(treeHost({ [VARIABLE]: Buffer.alloc(5000) }))).toEqual({ missing: 'too-large' })
    expect(readBootLoader(treeHost({ [VARIABLE]: Buffer.alloc(7) }))).toEqual({ missing: 'malformed' })
  })
})

/** The headers of a PE file, and one section. */
function program(section: string, content: string): Buffer {
  const head = Buffer.alloc(0x200)
  head.write('MZ')
  head.writeUInt32LE(0x80, 0x3c)
  head.write('PE\0\0', 0x80)
  head.writeUInt16LE(2, 0x86)
  head.writeUInt16LE(0xf0, 0x94)
  const table = 0x80 + 24 + 0xf0
  head.write('.text', table)
  head.write(section, table + 40)
  head.writeUInt32LE(content.length, table + 48)
  head.writeUInt32LE(0x200, table + 56)
  head.writeUInt32LE(0x200, table + 60)
  const body = Buffer.alloc(0x200)
  body.write(content)
  return Buffer.concat([head, body])
}
const SBAT =
  'sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n' +
  'grub,4,Free Software Foundation,grub,2.06,https://www.gnu.org\n' +
  'grub.debian,5,Debian,grub2,2.06-13+deb12u1,https://tracker.debian.org\n'
const GRUB = '/boot/efi/EFI/debian/grubx64.efi'

describe('what the firmware can start', () => {
  test('says which components it has, by its SBAT metadata', () => {
    const tree = { [GRUB]: program('.sbat', SBAT), '/boot/efi/EFI/BOOT/BOOTX64.EFI': program('.data', 'x') }
    expect(readEfiPrograms(treeHost({ ...tree, '/boot/efi/EFI/debian/BOOTX64.CSV': 'x' }))).toEqual({
      value: [
        { name: 'BOOT/BOOTX64.EFI', version: '(no metadata)' },
        { name: 'debian/grubx64.efi grub', version: '2.06, generation 4' },
        { name: 'debian/grubx64.efi grub.debian', version: '2.06-13+deb12u1, generation 5' },
      ],
    })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a script', Buffer.from('#!/bin/sh\n'.repeat(20))],
    ['cut before its sections', program('.sbat', SBAT).subarray(0, 0x100)],
    ['cut within its section', program('.sbat', SBAT).subarray(0, 0x210)],
  ])('is named where it is %s', (_, bytes) => {
    expect(readEfiPrograms(treeHost({ [GRUB]: bytes }))).toEqual({
      value: [{ name: 'debian/grubx64.efi', version: '(malformed)' }],
    })
  })

  test('is not nothing where it may not be looked at', () => {
    const host = treeHost({ [GRUB]: program('.sbat', SBAT) })
    expect(readEfiPrograms(withoutPermission(host, '/boot/efi'))).toEqual({ missing: 'no-permission' })
    expect(readEfiPrograms(withoutPermission(host, '/boot/efi/EFI/debian'))).toEqual({ missing: 'no-permission' })
    expect(readEfiPrograms(withoutPermission(host, GRUB))).toEqual({
      value: [{ name: 'debian/grubx64.efi', version: '(no-permission)' }],
    })
    expect(readEfiPrograms(treeHost({}))).toEqual({ missing: 'absent' })
  })

  test('of hundreds of files is no answer', () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`/efi/EFI/${index % 9}/${index}.efi`, '']),
    )
    expect(readEfiPrograms(treeHost(files))).toEqual({ missing: 'too-large' })
  })

  test('whatever its bytes, is an answer', () => {
    const whole = program('.sbat', SBAT)
    fc.assert(
      fc.property(fc.nat(0x3ff), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(whole)
        damaged.writeUInt8((damaged[at] ?? 0) ^ flip, at)
        expect(readEfiPrograms(treeHost({ [GRUB]: damaged }))).toHaveProperty('value')
      }),
      { numRuns: 200 },
    )
  })
})
