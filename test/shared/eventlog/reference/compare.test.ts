import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../shared/bytes/bytes.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { captureBootReference } from '../../../../shared/eventlog/reference/capture.ts'
import { causesOf } from '../../../../shared/eventlog/reference/causes.ts'
import { compareBoot } from '../../../../shared/eventlog/reference/compare.ts'
import { decodeBootReference, encodeBootReference } from '../../../../shared/eventlog/reference/encoding.ts'
import { grubBoot, application, provenLog, section, unifiedBoot } from '../../../support/boots.ts'
import {
  ascii,
  configuration,
  goodBoot,
  startupLocality,
  GLOBAL,
  hashList,
  SECURITY,
  secureBootVariables,
  separator,
  u16,
  u8,
  utf16,
  variableData,
  type EventSpec,
} from '../../../support/eventlog-builder.ts'

const ALL = new Set(Array.from({ length: 16 }, (_, pcr) => pcr))

function referenceOf(events: readonly EventSpec[]) {
  const reference = captureBootReference(provenLog(events), hash)
  if (reference === undefined) throw new Error('no reference')
  return reference
}

const compare = (approved: readonly EventSpec[], reported: readonly EventSpec[]) =>
  compareBoot(referenceOf(approved), provenLog(reported), ALL, hash)
const told = (approved: readonly EventSpec[], reported: readonly EventSpec[]) =>
  causesOf(compare(approved, reported).differences).map(({ part, subject }) => `${part}: ${subject}`)

describe('what differs between an approved and a reported boot', () => {
  test.each([
    ['GRUB', grubBoot()],
    ['a unified kernel image', unifiedBoot()],
  ])('nothing, for the same boot by %s', (_, boot) => {
    const { differences, explained } = compare(boot, boot)
    expect(differences).toEqual([])
    expect([...explained]).toEqual(expect.arrayContaining([0, 1, 4, 7]))
  })

  test('another kernel under GRUB is one cause, which names its file', () => {
    const reported = grubBoot({ kernel: 'kernel 2' })
    expect(told(grubBoot(), reported)).toEqual(['kernel: kernel image /vmlinuz-6.1.0-13'])
  })

  test('a kernel of another name is the kernel still', () => {
    const reported = grubBoot({ kernel: 'kernel 2', path: '/vmlinuz-6.1.0-15' })
    expect(told(grubBoot(), reported)).toEqual([
      'kernel: kernel image /vmlinuz-6.1.0-15',
      'command-line: kernel command line',
    ])
  })

  test('another kernel command line under GRUB is told with both texts', () => {
    const { differences } = compare(grubBoot(), grubBoot({ commandLine: 'ro quiet init=/bin/sh' }))
    const [cause, ...others] = causesOf(differences)
    expect(others).toEqual([])
    expect(cause).toMatchObject({
      part: 'command-line',
      before: expect.stringContaining('ro quiet'),
      after: expect.stringContaining('init=/bin/sh'),
    })
  })

  test('another kernel in a unified image is one cause, although image and section differ', () => {
    expect(told(unifiedBoot(), unifiedBoot({ kernel: 'kernel 2' }))).toEqual([
      'kernel: kernel image \\EFI\\BOOT\\BOOTX64.EFI',
    ])
  })

  test.each([
    ['command line', { commandLine: 'rw' }, 'command-line: kernel command line in'],
    ['initial RAM disk', { initrd: 'other' }, 'initial-ram-disk: initial RAM disk in'],
  ])('another %s in a unified image does not blame the kernel', (_, change, cause) => {
    expect(told(unifiedBoot(), unifiedBoot(change)).map((line) => line.split(' \\')[0])).toEqual([cause])
  })

  test('a unified image that differs in none of its sections is told as the image', () => {
    expect(told(unifiedBoot(), unifiedBoot({ stub: 'other' }))).toEqual([
      'kernel: kernel image \\EFI\\BOOT\\BOOTX64.EFI',
    ])
  })

  test('Secure Boot switched off names the variable, on and off', () => {
    const [variable] = secureBootVariables()
    const off = configuration('SecureBoot', GLOBAL, u8(0))
    const reported = grubBoot().map((event) => (toHex(event.data) === toHex(variable?.data ?? u8(0)) ? off : event))
    const [cause] = causesOf(compare(grubBoot(), reported).differences)
    expect(cause).toMatchObject({
      part: 'secure-boot',
      subject: 'variable SecureBoot (PCR 7)',
      before: expect.stringContaining('SecureBoot: on'),
      after: expect.stringContaining('SecureBoot: off'),
    })
  })

  test('a revocation list of another level names dbx', () => {
    const reported = grubBoot().map((event) =>
      event.pcr === 7 && Buffer.from(event.data).includes(utf16('dbx'))
        ? configuration('dbx', SECURITY, hashList(Buffer.alloc(32, 1)))
        : event,
    )
    expect(told(grubBoot(), reported)).toEqual(['secure-boot: variable dbx (PCR 7)'])
  })

  test('an application that was put between is added, and nothing else changes', () => {
    const boot = grubBoot()
    const at = boot.findIndex(({ data }) => Buffer.from(data).includes(utf16('grubx64')))
    const reported = [...boot.slice(0, at), application('\\EFI\\evil.efi', 'evil'), ...boot.slice(at)]
    const { differences } = compare(boot, reported)
    expect(differences.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['added kernel image \\EFI\\evil.efi'])
  })

  test('events in another order are moved, not good', () => {
    const boot = [...grubBoot(), variable('BootA', 1), variable('BootB', 2)]
    const reported = [...grubBoot(), variable('BootB', 2), variable('BootA', 1)]
    expect(compare(boot, reported).differences.map(({ kind }) => kind)).toEqual(['moved'])
  })

  test('a PCR that the log stopped extending has lost all of its events', () => {
    const reported = grubBoot().filter(({ pcr }) => pcr !== 9)
    expect(compare(grubBoot(), reported).differences.map(({ kind, pcr }) => `${kind} ${pcr}`)).toEqual([
      'removed 9',
      'removed 9',
    ])
  })

  test('a retagged event is not the approved one, even with its digest', () => {
    const boot = grubBoot()
    const reported = boot.map((event) => (event.pcr === 0 ? { ...event, type: 'EV_POST_CODE' as const } : event))
    const kinds = compare(boot, reported).differences.map(({ kind, pcr }) => `${kind} ${pcr}`)
    expect(kinds).toContain('removed 0')
    expect(kinds).toContain('added 0')
  })

  test('another startup locality changes PCR 0 without an event, and is told', () => {
    const from3 = [startupLocality(3), ...grubBoot()]
    const reference = captureBootReference(provenLog(from3, 3), hash)
    if (reference === undefined) throw new Error('no reference')
    const { differences } = compareBoot(reference, provenLog(grubBoot()), ALL, hash)
    expect(differences.map(({ part, name }) => `${part} ${name}`)).toEqual(['firmware startup locality'])
    expect(compareBoot(reference, provenLog(from3, 3), ALL, hash).differences).toEqual([])
  })

  test('events of PCR 10 in the firmware log explain nothing: that PCR is the kernel’s', () => {
    const reported = [...grubBoot(), separator(10)]
    expect(compare(grubBoot(), reported).explained.has(10)).toBe(false)
  })

  test('a measurement put into PCR 12 does not take the blame for another image', () => {
    const extra: EventSpec = { pcr: 12, type: 'EV_IPL', data: ascii('quiet'), hashed: ascii('quiet') }
    const reported = [...unifiedBoot({ stub: 'other' }), extra]
    expect(told(unifiedBoot(), reported)).toEqual([
      'command-line: kernel command line',
      'kernel: kernel image \\EFI\\BOOT\\BOOTX64.EFI',
    ])
  })

  test('a section that was measured once more does not take the blame for another image', () => {
    const reported = [...unifiedBoot({ stub: 'other' }), ...section('.cmdline', 'quiet')]
    expect(told(unifiedBoot(), reported)).toContain('kernel: kernel image \\EFI\\BOOT\\BOOTX64.EFI')
  })

  test('an event that only looks like a section does not make a kernel into a container', () => {
    const fake: EventSpec = { pcr: 11, type: 'EV_EFI_GPT_EVENT', data: ascii('.linux'), hashed: ascii('.linux') }
    const direct = (kernel: string) =>
      [...goodBoot().slice(0, -2), application('\\vmlinuz', kernel)].filter(({ pcr }) => pcr !== 11)
    expect(told(direct('1'), [...direct('2'), fake])).toContain('kernel: kernel image \\vmlinuz')
  })

  test('variables of one name in two PCRs are two causes', () => {
    const other = (event: EventSpec): EventSpec => ({ ...event, pcr: 5 })
    const reported = [...grubBoot(), variable('BootNext', 1), other(variable('BootNext', 2))]
    expect(told(grubBoot(), reported)).toEqual([
      'configuration: variable BootNext (PCR 1)',
      'configuration: variable BootNext (PCR 5)',
    ])
  })

  test('a log with more events of a PCR than any reference is not compared event by event', () => {
    const flood = Array.from({ length: 4001 }, () => separator(14))
    expect(compare([...grubBoot(), separator(14)], [...grubBoot(), ...flood]).explained.has(14)).toBe(false)
  })

  test('rules of another bank explain nothing', () => {
    const reference = { ...referenceOf(grubBoot()), bank: 'sha384' as const }
    expect(compareBoot(reference, provenLog(grubBoot()), ALL, hash).explained.size).toBe(0)
  })

  test('a reference is the same after it was stored', () => {
    const reference = referenceOf(unifiedBoot())
    expect(decodeBootReference(encodeBootReference(reference))).toEqual(reference)
    expect(decodeBootReference(encodeBootReference(reference).replace('"version":1', '"version":2'))).toBeUndefined()
    expect(decodeBootReference('{')).toBeUndefined()
  })

  test('a log of thousands of events is nobody’s reference', () => {
    const many = [...grubBoot(), ...Array.from({ length: 4001 }, () => separator(14))]
    expect(captureBootReference(provenLog(many), hash)).toBeUndefined()
  })
})

const variable = (name: string, value: number): EventSpec => ({
  pcr: 1,
  type: 'EV_EFI_VARIABLE_BOOT',
  data: variableData(name, GLOBAL, u16(value)),
})
