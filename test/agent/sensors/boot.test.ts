import { describe, expect, test } from 'vitest'
import { readBootIdentity } from '../../../agent/sensors/boot-identity.ts'
import { bootSensor } from '../../../agent/sensors/boot.ts'
import { createHost } from '../../../agent/sensors/host.ts'
import { treeHost, withoutPermission, type Tree } from '../../support/host-tree.ts'

const EFI = '/sys/firmware/efi/efivars'
const GUID = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
const efiSwitch = (value: number): Uint8Array => Uint8Array.of(6, 0, 0, 0, value)

const x86: Tree = {
  '/proc/cmdline': 'BOOT_IMAGE=/vmlinuz root=UUID=0c1d2e3f-0000 ro quiet\n',
  '/sys/class/dmi/id': { link: '../../devices/virtual/dmi/id' },
  '/sys/devices/virtual/dmi/id/bios_vendor': 'EDK II\n',
  '/sys/devices/virtual/dmi/id/bios_version': '2025.02\n',
  '/sys/devices/virtual/dmi/id/bios_date': '02/01/2025\n',
  '/sys/devices/virtual/dmi/id/product_serial': 'UNIT-4711\n',
  [`${EFI}/SecureBoot-${GUID}`]: efiSwitch(1),
  [`${EFI}/SetupMode-${GUID}`]: efiSwitch(0),
  '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
  '/sys/kernel/security/ima': { directory: true },
  '/sys/class/tpm/tpm0/tpm_version_major': '2\n',
}

const measure = (tree: Tree) => bootSensor.measure(treeHost(tree))

test('a machine with UEFI', () => {
  expect(measure(x86)).toEqual({
    status: 'measured',
    content: {
      firmware: { vendor: { value: 'EDK II' }, version: { value: '2025.02' }, date: { value: '02/01/2025' } },
      deviceTreeModel: { missing: 'absent' },
      secureBoot: { value: true },
      setupMode: { value: false },
      commandLine: { value: 'BOOT_IMAGE=/vmlinuz root=UUID=<unit> ro quiet' },
      verity: { value: [] },
      lockdown: { value: 'integrity' },
      ima: { value: true },
      tpms: { value: [{ name: 'tpm0', major: { value: 2 } }] },
      moduleSignatures: { missing: 'absent' },
      kexec: { loadDisabled: { missing: 'absent' }, loaded: { missing: 'absent' } },
      iommu: { missing: 'absent' },
      vulnerabilities: { missing: 'absent' },
      mappings: { missing: 'absent' },
      fsVeritySignatures: { missing: 'absent' },
    },
  })
})

test('a board with a device tree', () => {
  const content = measure({ '/sys/firmware/devicetree/base/model': 'Gateway 3000\0', '/proc/cmdline': 'ro\n' })
  expect(content).toMatchObject({
    content: {
      deviceTreeModel: { value: 'Gateway 3000' },
      secureBoot: { missing: 'absent' },
      tpms: { missing: 'absent' },
    },
  })
})

describe('Secure Boot is never assumed', () => {
  test.each([
    ['a cut variable', Uint8Array.of(6, 0, 0, 0), { missing: 'malformed' }],
    ['a longer variable', Uint8Array.of(6, 0, 0, 0, 1, 0), { missing: 'malformed' }],
    ['a value that is neither', efiSwitch(2), { missing: 'malformed' }],
    ['off', efiSwitch(0), { value: false }],
  ])('%s', (_, bytes, secureBoot) => {
    expect(measure({ ...x86, [`${EFI}/SecureBoot-${GUID}`]: bytes })).toMatchObject({ content: { secureBoot } })
  })

  test('without permission', () => {
    expect(bootSensor.measure(withoutPermission(treeHost(x86), EFI))).toMatchObject({
      content: { secureBoot: { missing: 'no-permission' }, setupMode: { missing: 'no-permission' } },
    })
  })
})

test('an unmounted securityfs does not say that IMA is off', () => {
  expect(measure({ '/proc/cmdline': 'ro', '/sys/kernel/security': { directory: true } })).toMatchObject({
    content: { ima: { missing: 'absent' }, lockdown: { missing: 'absent' } },
  })
  expect(measure({ '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n' })).toMatchObject({
    content: { ima: { value: false }, lockdown: { value: 'none' } },
  })
})

test('a command line of hostile bytes and any length stays one printable line', () => {
  const reading = measure({ '/proc/cmdline': Buffer.from(`a\u202e\n${'x'.repeat(9000)}`) })
  const { commandLine } = (reading as { content: { commandLine: { value: string } } }).content
  expect(commandLine.value).toMatch(/^a\\xe2\\x80\\xae\\x0ax{1,4096}\\\.\.\.$/)
  expect(commandLine.value).toHaveLength(4096)
})

describe('the identity of a boot', () => {
  test('boot id and uptime', () => {
    const host = treeHost({
      '/proc/sys/kernel/random/boot_id': '01234567-89ab-4def-8123-456789abcdef\n',
      '/proc/uptime': '3601.99 12.34\n',
    })
    expect(readBootIdentity(host)).toEqual({
      bootId: { value: Uint8Array.from(Buffer.from('0123456789ab4def8123456789abcdef', 'hex')) },
      uptimeSeconds: { value: 3601 },
    })
  })

  test('damaged or absent, it is not invented', () => {
    const host = treeHost({ '/proc/sys/kernel/random/boot_id': '0123\n' })
    expect(readBootIdentity(host)).toEqual({ bootId: { missing: 'malformed' }, uptimeSeconds: { missing: 'absent' } })
  })

  test('on this machine it is there', () => {
    expect(readBootIdentity(createHost())).toMatchObject({
      bootId: { value: expect.any(Uint8Array) },
      uptimeSeconds: { value: expect.any(Number) },
    })
  })
})
