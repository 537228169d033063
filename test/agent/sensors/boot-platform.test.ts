import { describe, expect, test } from 'vitest'
import { bootSensor } from '../../../agent/sensors/boot.ts'
import type { Host } from '../../../agent/sensors/host.ts'
import type { Reading } from '../../../agent/sensors/sensor.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { decodeSection, encodeSection } from '../../../shared/posture/canonical.ts'
import type { BootContent } from '../../../shared/posture/sections/boot.ts'
import { treeHost, withoutPermission, type Tree } from '../../support/host-tree.ts'
import { sha256 } from '../../support/posture.ts'

const VULNERABILITIES = '/sys/devices/system/cpu/vulnerabilities'
const SIG_ENFORCE = '/sys/module/module/parameters/sig_enforce'
const ROOT_HASH = 'a'.repeat(64)

interface Unit {
  readonly disk: string
  readonly luks: string
  readonly machine: string
}
const FIRST: Unit = {
  disk: '0c1d2e3f-1111-4222-8333-444455556666',
  luks: '7F2AAB10-0000-4000-8000-00000000000A',
  machine: '0123456789abcdef0123456789abcdef',
}
const SECOND: Unit = {
  disk: 'ffffffff-aaaa-4bbb-8ccc-dddddddddddd',
  luks: '11111111-2222-4333-8444-555555555555',
  machine: 'fedcba9876543210fedcba9876543210',
}

/** As Linux 6.12 shows it, with encrypted data and a verified root. */
const gateway = ({ disk, luks, machine }: Unit): Tree => ({
  '/proc/cmdline':
    `BOOT_IMAGE=/vmlinuz root=/dev/mapper/root roothash=${ROOT_HASH} systemd.verity_root_data=PARTUUID=${disk} ` +
    `resume=UUID=${disk} rd.luks.uuid=luks-${luks} systemd.machine_id=${machine} rootflags=ro quiet\n`,
  [SIG_ENFORCE]: 'Y\n',
  '/proc/sys/kernel/kexec_load_disabled': '1\n',
  '/sys/kernel/kexec_loaded': '0\n',
  '/sys/class/iommu': { directory: true },
  '/sys/kernel/iommu_groups/0/type': 'DMA\n',
  [`${VULNERABILITIES}/meltdown`]: 'Not affected\n',
  [`${VULNERABILITIES}/spectre_v2`]: 'Mitigation: Enhanced / Automatic IBRS; IBPB: conditional\n',
  '/sys/block/sda/size': '1000\n',
  '/sys/block/dm-0/dm/uuid': `CRYPT-VERITY-${disk.replaceAll('-', '')}-root\n`,
  '/sys/block/dm-0/dm/name': 'root\n',
  '/sys/block/dm-1/dm/uuid': `CRYPT-LUKS2-${luks.replaceAll('-', '')}-luks-${luks}\n`,
  '/sys/block/dm-1/dm/name': `luks-${luks}\n`,
  '/sys/block/dm-2/dm/uuid': 'LVM-0123\n',
  '/sys/block/dm-2/dm/name': 'vg-data\n',
  '/proc/sys/fs/verity/require_signatures': '0\n',
})

function contentOf(host: Host): BootContent {
  const reading = bootSensor.measure(host) as Reading<'boot'>
  if (reading.status !== 'measured') throw new Error(reading.status)
  return reading.content
}
const measure = (tree: Tree): BootContent => contentOf(treeHost(tree))
const digestOf = (content: BootContent): string =>
  toHex(encodeSection('boot', { status: 'measured', content }, sha256).digest)

test('a gateway that guards itself', () => {
  expect(measure(gateway(FIRST))).toMatchObject({
    commandLine: {
      value:
        `BOOT_IMAGE=/vmlinuz root=/dev/mapper/root roothash=${ROOT_HASH} ` +
        'systemd.verity_root_data=PARTUUID=<unit> resume=UUID=<unit> rd.luks.uuid=luks-<unit> ' +
        'systemd.machine_id=<unit> rootflags=ro quiet',
    },
    verity: {
      value: [
        { name: 'roothash', value: ROOT_HASH },
        { name: 'systemd.verity_root_data', value: 'PARTUUID=<unit>' },
      ],
    },
    moduleSignatures: { value: true },
    kexec: { loadDisabled: { value: true }, loaded: { value: false } },
    iommu: { value: true },
    vulnerabilities: {
      value: [
        { name: 'meltdown', mitigation: { value: 'Not affected' } },
        { name: 'spectre_v2', mitigation: { value: 'Mitigation: Enhanced / Automatic IBRS; IBPB: conditional' } },
      ],
    },
    mappings: {
      value: [
        { kind: { value: 'verity' }, name: { value: 'root' } },
        { kind: { value: 'luks2' }, name: { value: 'luks-<unit>' } },
      ],
    },
    fsVeritySignatures: { value: false },
  })
})

describe('two units of one image', () => {
  test('have the same section', () => {
    expect(digestOf(measure(gateway(SECOND)))).toBe(digestOf(measure(gateway(FIRST))))
  })

  test('have another one where any of it differs', () => {
    const approved = digestOf(measure(gateway(FIRST)))
    const changes: Tree[] = [
      { [SIG_ENFORCE]: 'N\n' },
      { '/proc/sys/kernel/kexec_load_disabled': '0\n' },
      { '/sys/kernel/kexec_loaded': '1\n' },
      { [`${VULNERABILITIES}/meltdown`]: 'Vulnerable\n' },
      { [`${VULNERABILITIES}/new_one`]: 'Vulnerable\n' },
      { '/sys/block/dm-0/dm/uuid': 'CRYPT-PLAIN-root\n' },
      { '/sys/block/dm-0/dm/name': 'other\n' },
      { '/proc/sys/fs/verity/require_signatures': '1\n' },
      { '/proc/cmdline': `BOOT_IMAGE=/vmlinuz roothash=${'b'.repeat(64)}\n` },
    ]
    const digests = changes.map((change) => digestOf(measure({ ...gateway(SECOND), ...change })))
    expect(new Set([approved, ...digests]).size).toBe(changes.length + 1)
  })
})

describe('what cannot be known is not made up', () => {
  test.each([
    ['empty', '', 'malformed'],
    ['a word', 'yes\n', 'malformed'],
    ['two lines', 'Y\nN\n', 'malformed'],
    ['another number', '2\n', 'malformed'],
    ['bytes that are no UTF-8', Uint8Array.of(0xff, 0xfe), 'malformed'],
    ['huge', 'Y'.repeat(100_000), 'too-large'],
    ['a directory', { directory: true }, 'unreadable'],
  ] as const)('of a switch that is %s', (_, entry, missing) => {
    expect(measure({ ...gateway(FIRST), [SIG_ENFORCE]: entry }).moduleSignatures).toEqual({ missing })
  })

  test('without permission, which is not the same as absent', () => {
    const no = { missing: 'no-permission' }
    expect(contentOf(withoutPermission(treeHost({ '/proc/version': 'v' }), '/sys', '/proc/sys'))).toMatchObject({
      moduleSignatures: no,
      kexec: { loadDisabled: no, loaded: no },
      iommu: no,
      vulnerabilities: no,
      mappings: no,
      fsVeritySignatures: no,
      commandLine: { missing: 'absent' },
      verity: { missing: 'absent' },
    })
  })

  test.each([
    ['a group is there and the class may not be read', ['/sys/class/iommu'], { value: true }],
    ['the class is empty and the groups may not be read', ['/sys/kernel/iommu_groups'], { missing: 'no-permission' }],
  ])('of an IOMMU when %s', (_, hidden, iommu) => {
    expect(contentOf(withoutPermission(treeHost(gateway(FIRST)), ...hidden)).iommu).toEqual(iommu)
  })

  test('of an IOMMU: off is what an empty directory says', () => {
    expect(measure({ '/proc/cmdline': 'ro', '/sys/class/iommu': { directory: true } }).iommu).toEqual({ value: false })
  })

  test('of a mapping whose kind is hidden: it is listed all the same', () => {
    const host = withoutPermission(treeHost(gateway(FIRST)), '/sys/block/dm-1/dm/uuid')
    expect(contentOf(host).mappings).toMatchObject({
      value: [{ name: { value: 'root' } }, { kind: { missing: 'no-permission' }, name: { value: 'luks-<unit>' } }],
    })
  })

  test('of one weakness: the others are told', () => {
    const tree = { ...gateway(FIRST), [`${VULNERABILITIES}/meltdown`]: 'x'.repeat(100_000) }
    expect(measure(tree).vulnerabilities).toMatchObject({
      value: [{ name: 'meltdown', mitigation: { missing: 'too-large' } }, { name: 'spectre_v2' }],
    })
  })
})

describe('more than a section holds', () => {
  test('of mappings is said to be too large', () => {
    const many = Array.from({ length: 65 }, (_, n) => [`/sys/block/dm-${n}/dm/uuid`, 'CRYPT-LUKS2-0-x'] as const)
    expect(measure(Object.fromEntries(many)).mappings).toEqual({ missing: 'too-large' })
  })

  test('of weaknesses is said to be too large', () => {
    const many = Array.from({ length: 65 }, (_, n) => [`${VULNERABILITIES}/w${n}`, 'Vulnerable'] as const)
    expect(measure(Object.fromEntries(many)).vulnerabilities).toEqual({ missing: 'too-large' })
  })

  test('of root hashes is said to be too large', () => {
    const cmdline = Array.from({ length: 33 }, (_, n) => `roothash=${n}`).join(' ')
    expect(measure({ '/proc/cmdline': cmdline }).verity).toEqual({ missing: 'too-large' })
  })
})

test('hostile names and values stay within the schema, on one line each', () => {
  const content = measure({
    [`${VULNERABILITIES}/a\u202eb`]: `Not\naffected\u0007${'y'.repeat(500)}`,
    '/sys/block/dm-0/dm/uuid': 'CRYPT-LUKS2-x\n',
    '/sys/block/dm-0/dm/name': Uint8Array.of(0xff, 0x0a, 0x41),
    '/proc/cmdline': `roothash=a\u202e${'z'.repeat(2000)}`,
  })
  const { bytes } = encodeSection('boot', { status: 'measured', content }, sha256)
  expect(decodeSection('boot', bytes)).toMatchObject({
    content: {
      vulnerabilities: { value: [{ name: 'a\\xe2\\x80\\xaeb' }] },
      mappings: { value: [{ name: { value: '\\xff\\x0aA' } }] },
    },
  })
})
