import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BootLog } from '../../../collector/appraisal/boot-log.ts'
import { contradictions, provenFacts } from '../../../collector/appraisal/contradictions.ts'
import { printable } from '../../../agent/sensors/text.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { replayBank } from '../../../shared/eventlog/replay.ts'
import { maskUnitValues } from '../../../shared/posture/command-line.ts'
import type { BootContent } from '../../../shared/posture/sections/boot.ts'
import { appraisalOf, approvalOf, deviationsOf, type Knowledge } from '../../support/appraising.ts'
import { grubBoot, provenLog, unifiedBoot } from '../../support/boots.ts'
import {
  agileLog,
  ascii,
  configuration,
  GLOBAL,
  goodBoot,
  secureBootVariables,
  separator,
  utf16,
  type EventSpec,
} from '../../support/eventlog-builder.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { bootWith, tpmWith } from '../../support/platform.ts'
import { GOOD_READINGS, SoftwareDevice, type Readings } from '../../support/software-device.ts'

const asserts = (over: Partial<BootContent>): BootContent => {
  const reading = bootWith(over)
  if (reading.status !== 'measured') throw new Error('not measured')
  return reading.content
}
/** As the agent writes it, from the bytes of /proc/cmdline. */
const told = (bytes: string) => ({ commandLine: { value: printable(maskUnitValues(bytes), 4096) } })
const found = (events: readonly EventSpec[], over: Partial<BootContent>): string[] =>
  contradictions(provenFacts(provenLog(events), hash), asserts(over)).map(
    ({ code, subject, before, after }) => `${code} ${subject}: ${before} / ${after}`,
  )

const UUID = '10d7f09f-7852-4b75-a2b6-2355d99b4376'
const firmware = goodBoot().filter(({ pcr }) => pcr !== 11)
const secureBootOff = [
  ...secureBootVariables(0),
  separator(7),
  ...firmware.filter(({ pcr }) => pcr !== 7),
] as readonly EventSpec[]

describe('Secure Boot that the agent asserts', () => {
  test('to be on is contradicted by a log that proves it to be off', () => {
    expect(found(secureBootOff, { secureBoot: { value: true } })).toEqual([
      'boot.fact-contradicted secure-boot: off / on',
    ])
  })

  test('to be off is contradicted by a log that proves it to be on', () => {
    expect(found(goodBoot(), { secureBoot: { value: false } })).toEqual([
      'boot.fact-contradicted secure-boot: on / off',
    ])
  })

  test.each([
    ['as the log proves it', goodBoot(), { secureBoot: { value: true } }],
    ['to be off, as the log proves it', secureBootOff, { secureBoot: { value: false } }],
    ['not at all', secureBootOff, { secureBoot: { missing: 'absent' } }],
    // Variables that were measured twice leave the state unknown.
    [
      'beside a log that leaves it unknown',
      [configuration('SecureBoot', GLOBAL, Uint8Array.of(0)), ...goodBoot()],
      {
        secureBoot: { value: true },
      },
    ],
    ['beside a platform key that was enrolled since', goodBoot(), { setupMode: { value: true } }],
  ] as [string, EventSpec[], Partial<BootContent>][])('%s is not contradicted', (_, events, over) => {
    expect(found(events, over)).toEqual([])
  })
})

describe('a command line that the agent asserts beside one of GRUB', () => {
  const events = grubBoot({ commandLine: `root=UUID=${UUID} ro quiet init=/bin/sh` })
  const line = `BOOT_IMAGE=/vmlinuz-6.1.0-13 root=UUID=${UUID} ro quiet init=/bin/sh`

  test('that leaves out what was measured is contradicted', () => {
    expect(found(events, told(line.replace(' init=/bin/sh', '')))).toEqual([
      'boot.fact-contradicted command-line: /vmlinuz-6.1.0-13 root=UUID=<unit> ro quiet init=/bin/sh / ' +
        'BOOT_IMAGE=/vmlinuz-6.1.0-13 root=UUID=<unit> ro quiet',
    ])
  })

  test.each([
    ['with another kernel', line.replace('6.1.0', '6.2.0')],
    ['with one parameter changed', line.replace('quiet', 'debug')],
    ['with a parameter in between', line.replace('quiet', 'quiet ima=off')],
    ['in another order', line.replace('ro quiet', 'quiet ro')],
  ])('%s is contradicted', (_, asserted) => {
    expect(found(events, told(asserted))).toHaveLength(1)
  })

  test.each([
    ['the same', line],
    ['with the blanks of the kernel', `  ${line.replaceAll(' ', '  ')}\t`],
    ['with built-in parameters around it', `console=ttyS0 ${line} panic=1`],
    ['with an initrd that the kernel was handed', `${line} initrd=/initrd.img`],
    ['of another unit', line.replace(UUID, 'ffffffff-aaaa-4bbb-8ccc-dddddddddddd')],
    ['without the mark of a boot loader, as after a kexec', 'ro quiet'],
  ])('%s is not', (_, asserted) => {
    expect(found(events, told(asserted))).toEqual([])
  })

  test('that was cut is not', () => {
    expect(found(events, { commandLine: { value: 'BOOT_IMAGE=/other \\...' } })).toEqual([])
  })

  test('that is longer than each kernel keeps is compared as far as each keeps it', () => {
    const long = Array.from({ length: 100 }, (_, n) => `parameter${n}=1`).join(' ')
    const kept = `BOOT_IMAGE=/vmlinuz-6.1.0-13 ${long}`
    expect(found(grubBoot({ commandLine: long }), told(kept.slice(0, 530)))).toEqual([])
    expect(found(grubBoot({ commandLine: long }), told(kept.replace('parameter9=1', 'parameter9=2')))).toHaveLength(1)
  })

  test('of any bytes agrees with itself, and with nothing that lacks a word of it', () => {
    const word = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'ab=\\"<>\u00c3\u00bc\u00ff-') })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
        const kept = words.filter((each) => each !== '--' && !each.startsWith('initrd='))
        const measured = ['kernel', ...kept, 'end'].join(' ')
        const event: EventSpec = {
          pcr: 8,
          type: 'EV_IPL',
          data: ascii(`kernel_cmdline: ${measured}\0`),
          hashed: ascii(measured),
        }
        expect(found([event], told(`BOOT_IMAGE=${measured}`))).toEqual([])
        expect(found([event], told(`BOOT_IMAGE=${measured.slice(0, -4)}`))).toHaveLength(1)
      }),
    )
  })
})

describe('a command line that the agent asserts beside one of systemd-boot', () => {
  const options = 'initrd=\\a.img initrd=\\b.img root=LABEL=data ro quiet'
  const events: EventSpec[] = [...firmware, { pcr: 12, type: 'EV_IPL', data: utf16(`${options}\0`) }]

  test.each([
    ['the same', options, 0],
    ['without the initrd', 'root=LABEL=data ro quiet', 0],
    ['of a GRUB that was started in between', 'BOOT_IMAGE=/vmlinuz ro', 0],
    ['with another root', options.replace('data', 'evil'), 1],
    ['with nothing', '', 1],
  ])('%s', (_, asserted, count) => {
    expect(found(events, told(asserted))).toHaveLength(count)
  })
})

test('a command line beside a unified image is never contradicted: its text is in no log', () => {
  expect(found(unifiedBoot(), told('anything'))).toEqual([])
})

fixturesDescribe('vm-sb', 'the real measured boot', () => {
  test('agrees with its own EFI variable, and contradicts one that says otherwise', () => {
    const log = parseEventLog(readFixture('vm-sb', 'binary_bios_measurements'))
    const facts = provenFacts(verifyEventLog(log, 'sha256', replayBank(log, 'sha256', hash), hash), hash)
    expect(facts.secureBoot).toBe(true)
    expect(contradictions(facts, asserts({ secureBoot: { value: true } }))).toEqual([])
    expect(contradictions(facts, asserts({ secureBoot: { value: false } }))).toHaveLength(1)
  })
})

describe('in the appraisal', () => {
  async function appraised(events: readonly EventSpec[], readings: Readings, over: Knowledge = {}) {
    const device = new SoftwareDevice()
    device.readings = { ...GOOD_READINGS, ...readings }
    device.reboot(events)
    return appraisalOf(device, (await device.report()).bytes, { approved: approvalOf(device), ...over })
  }

  test('a contradiction is a failure of integrity, also where exactly this was approved', async () => {
    const appraisal = await appraised(secureBootOff, { boot: bootWith({ secureBoot: { value: true } }) })
    expect(appraisal).toMatchObject({
      verdict: 'contraindicated',
      code: 'boot.fact-contradicted',
      crossChecked: true,
      failure: null,
    })
    expect(deviationsOf(appraisal)).toEqual(['boot.fact-contradicted secure-boot'])
  })

  test('a section that agrees with the log is no deviation', async () => {
    const appraisal = await appraised(goodBoot(), { boot: bootWith({ secureBoot: { value: true } }) })
    expect(appraisal).toMatchObject({ verdict: 'affirming', crossChecked: true })
  })

  test('each section beside one log is judged by itself, however often', async () => {
    const device = new SoftwareDevice()
    device.reboot(secureBootOff)
    const bootLog = new BootLog(device.firmwareLog ?? new Uint8Array(), hash)
    const verdicts: string[] = []
    for (const value of [false, true, false, true]) {
      device.readings = { ...GOOD_READINGS, boot: bootWith({ secureBoot: { value } }) }
      const appraisal = appraisalOf(device, (await device.report()).bytes, { approved: approvalOf(device), bootLog })
      verdicts.push(appraisal.verdict)
    }
    expect(verdicts).toEqual(['affirming', 'contraindicated', 'affirming', 'contraindicated'])
  })

  test.each([
    ['was not measured', { boot: { status: 'not-supported', reason: 'no-platform-facts' } }, {}],
    ['is not named', {}, {}],
    ['has no proven log beside it', { boot: bootWith({ secureBoot: { value: true } }) }, { bootLog: undefined }],
  ] as [string, Readings, Knowledge][])(
    'a boot section that %s is not held against the log',
    async (_, readings, over) => {
      expect(await appraised(secureBootOff, readings, over)).toMatchObject({
        verdict: 'affirming',
        crossChecked: false,
      })
    },
  )

  test('a log that does not lead to the quoted values proves nothing against the section', async () => {
    const device = new SoftwareDevice()
    device.readings = { ...GOOD_READINGS, boot: bootWith({ secureBoot: { value: false } }) }
    device.reboot(secureBootOff, agileLog(goodBoot()))
    const appraisal = appraisalOf(device, (await device.report()).bytes, { approved: approvalOf(device) })
    expect(appraisal.crossChecked).toBe(false)
    expect(deviationsOf(appraisal)).toEqual(['boot.log-refused event log/sha256'])
  })
})

describe('a PCR bank that firmware never extends', () => {
  const never = { value: 'never' } as const
  const readings: Readings = {
    ...GOOD_READINGS,
    tpm: tpmWith({
      sha1: never,
      sha256: { value: 'extended' },
      sha384: { value: 'partly' },
      sha512: { missing: 'absent' },
    }),
  }
  const findingsOf = async (over: Knowledge) => {
    const device = new SoftwareDevice()
    device.readings = readings
    return appraisalOf(device, (await device.report()).bytes, over)
  }

  test('is told before anything was approved', async () => {
    const appraisal = await findingsOf({ approved: undefined })
    expect(appraisal.verdict).toBe('not-appraised')
    expect(deviationsOf(appraisal)).toEqual(['boot.bank-never-extended bank/sha1'])
  })

  test('is told beside the attributes that are not as approved', async () => {
    const device = new SoftwareDevice()
    device.readings = { ...GOOD_READINGS, tpm: tpmWith({ sha256: { value: 'extended' } }) }
    const [approved, before] = [approvalOf(device), device.contents]
    device.readings = { ...GOOD_READINGS, tpm: tpmWith({ sha256: { value: 'extended' }, sha1: never }) }
    const contents = new Map([...before, ...device.contents])
    const appraisal = appraisalOf(device, (await device.report()).bytes, { approved, contents })
    expect(appraisal.verdict).toBe('warning')
    expect(deviationsOf(appraisal)).toEqual(['boot.bank-never-extended bank/sha1', 'tpm.attribute-changed bank/sha1'])
  })

  test('is accepted with exactly this section, whose content is not loaded then', async () => {
    const device = new SoftwareDevice()
    device.readings = readings
    const digest = device.sections.get('tpm')?.digest ?? new Uint8Array(0)
    const contents = new Map<string, Uint8Array | null>([...device.contents, [toHex(digest), null]])
    const { bytes } = await device.report()
    expect(appraisalOf(device, bytes, { approved: approvalOf(device), contents })).toMatchObject({
      verdict: 'affirming',
      deviations: [],
    })
  })
})
