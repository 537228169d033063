import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maskUnitValues, UNIT, verityParameters } from '../../../shared/posture/command-line.ts'

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i

describe('what each unit has for itself is masked', () => {
  test.each([
    ['root=UUID=10d7f09f-7852-4b75-a2b6-2355d99b4376 ro', 'root=UUID=<unit> ro'],
    ['root=PARTUUID=8270F3C9-B4E4-4345-80EE-5A62DB7EBF3F/PARTNROFF=1', 'root=PARTUUID=<unit>/PARTNROFF=1'],
    ['root=PARTUUID=deadbeef-02 rw', 'root=PARTUUID=<unit> rw'],
    ['systemd.mount-extra=UUID=ABCD-1234:/boot', 'systemd.mount-extra=UUID=<unit>:/boot'],
    ['cryptdevice=UUID=5465369a-996d-42ca-9ad4-91d0082e0b34:cryptroot', 'cryptdevice=UUID=<unit>:cryptroot'],
    ['rd.luks.uuid=luks-5465369a', 'rd.luks.uuid=luks-<unit>'],
    ['rd.luks.name=5465369a-996d-42ca-9ad4-91d0082e0b34=root', 'rd.luks.name=<unit>=root'],
    ['root=/dev/mapper/luks-5465369a-996d-42ca-9ad4-91d0082e0b34', 'root=/dev/mapper/luks-<unit>'],
    ['root=/dev/disk/by-uuid/ABCD-1234 ro', 'root=/dev/disk/by-uuid/<unit> ro'],
    ['rd.md.uuid=aaaa1111:bbbb2222:cccc3333:dddd4444', 'rd.md.uuid=<unit>'],
    ['systemd.machine_id=0123456789abcdef0123456789abcdef', 'systemd.machine_id=<unit>'],
  ])('%s', (line, masked) => {
    expect(maskUnitValues(line)).toBe(masked)
  })
})

test.each([
  'BOOT_IMAGE=/vmlinuz-6.8.0 root=LABEL=root ro quiet console=ttyS0,115200',
  'root=PARTLABEL=deadbeef-02',
  `roothash=${'a'.repeat(64)} usrhash=${'0'.repeat(64)}`,
  'systemd.machine_id=firmware',
  'module.uuid=feature',
  'rd.md.uuid=auto',
  'systemd.verity_root_options=panic-on-corruption',
  'root=UUID=',
  'root=UUID=<unit> ro',
])('%s stays as it is', (line) => {
  expect(maskUnitValues(line)).toBe(line)
})

/** Texts of the pieces that the masks look for, in any order, so that the one's result meets the other's beginning. */
const piece = fc.oneof(
  fc.uuid(),
  fc.uuid().map((uuid) => uuid.toUpperCase()),
  fc.string({ maxLength: 6, unit: fc.constantFrom(...'0aF-:g <>=') }),
  fc.constantFrom('UUID=', 'uuid=luks-', 'rd.md.uuid=', 'machine_id=', '/by-partuuid/', '0'.repeat(32), 'ab-cd', ' '),
)
const line = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))

describe('of any text', () => {
  test('no UUID is left', () => {
    fc.assert(fc.property(line, (text) => !UUID.test(maskUnitValues(text))))
  })

  test('a second masking changes nothing', () => {
    fc.assert(
      fc.property(line, (text) => {
        const masked = maskUnitValues(text)
        expect(maskUnitValues(masked)).toBe(masked)
      }),
      { numRuns: 3000 },
    )
  })

  test('all but hexadecimal digits, dashes and colons is left in its order', () => {
    const rest = (text: string): string => text.replaceAll(UNIT, '').replace(/[0-9a-f:-]/gi, '')
    fc.assert(fc.property(line, (text) => rest(maskUnitValues(text)) === rest(text)))
  })

  test('without the marks of an identifier nothing changes', () => {
    const plain = fc.string({ unit: fc.constantFrom(...'0123456789abcdef -=/.xyz') }).filter((text) => !UUID.test(text))
    fc.assert(fc.property(plain, (text) => maskUnitValues(text) === text))
  })

  test('two units that differ in their UUIDs alone become one', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.array(fc.constantFrom('ro', 'quiet', 'x=1')), (one, other, words) => {
        const of = (uuid: string): string =>
          [`root=UUID=${uuid}`, ...words, `rd.luks.uuid=luks-${uuid}`, `resume=/dev/mapper/luks-${uuid}`].join(' ')
        expect(maskUnitValues(of(one))).toBe(maskUnitValues(of(other)))
      }),
    )
  })
})

test('a text of any length is masked in time that grows with it', () => {
  const begin = performance.now()
  maskUnitValues('uuid=a-'.repeat(2000) + 'rd.md.uuid=' + 'a:'.repeat(8000) + 'g')
  expect(performance.now() - begin).toBeLessThan(200)
})

test('the root hashes of a command line are named, every one of them', () => {
  expect(
    verityParameters('ro roothash=aa  usrhash=bb=c roothash=dd xroothash=1 systemd.verity=no mount.usrhash=ee'),
  ).toEqual([
    { name: 'roothash', value: 'aa' },
    { name: 'usrhash', value: 'bb=c' },
    { name: 'roothash', value: 'dd' },
    { name: 'systemd.verity', value: 'no' },
    { name: 'mount.usrhash', value: 'ee' },
  ])
})
