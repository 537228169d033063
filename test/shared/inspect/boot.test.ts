import { describe, expect, test } from 'vitest'
import { inspectBoot, type BootFiles } from '../../../shared/inspect/boot/inspect.ts'
import type { BootReport, PartName } from '../../../shared/inspect/boot/report.ts'
import { failed, good, notAppraised, verdictOf, weak } from '../../../shared/inspect/boot/report.ts'
import { agileLog, goodBoot, secureBootVariables, separator } from '../../support/eventlog-builder.ts'
import { SoftwareSigner } from '../../support/tpm-quote.ts'
import { primitives, QUOTED, wholeBoot } from '../../support/whole-boot.ts'

const inspect = (files: BootFiles): BootReport => inspectBoot(files, primitives)
const statusOf = (report: BootReport, name: PartName) => report.parts.find(({ part }) => part === name)?.status
const codesOf = (report: BootReport, name: PartName): readonly string[] =>
  report.parts.find(({ part }) => part === name)?.failures.map(({ code }) => code) ?? []

const files = wholeBoot({ laterEntries: [{ path: '/usr/bin/later' }] })
const other = wholeBoot({ list: [{ path: '/sbin/other' }] })
const flip = (bytes: Uint8Array, offset: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[offset] = (copy[offset] ?? 0) ^ (1 << (offset % 8))
  return copy
}

describe('the files of one boot', () => {
  test('are good together, each part by itself', () => {
    const report = inspect(files)
    expect(report.parts.map(({ part, status }) => [part, status])).toEqual([
      ['quote', 'good'],
      ['key', 'good'],
      ['event log', 'good'],
      ['firmware PCRs', 'good'],
      ['secure boot', 'good'],
      ['boot coverage', 'good'],
      ['kernel list', 'good'],
      ['boot aggregate', 'good'],
    ])
    expect(report.verdict).toBe('good')
    expect(report.kernelList).toMatchObject([{ matchedEntries: 7, laterEntries: 1, paddingMode: 'per-bank' }])
    expect(report.secureBoot).toMatchObject({ basis: 'quote', enabled: true })
    expect(report).toMatchObject({ pcrsFrom: 'file', bootAggregate: { status: 'matches', pcrs: '0-9' } })
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  test('need no PCR values where the logs lead to the digest in the quote', () => {
    const report = inspect({ ...files, pcrs: null })
    expect(report).toMatchObject({ verdict: 'good', pcrsFrom: 'replay' })
    expect(report.pcrs).toEqual(inspect(files).pcrs)
  })

  test('with measurements after the end of the log: named, and the boot aggregate is of the time before', () => {
    const late = { 11: ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'], 0: ['os-separator'], 9: ['os-separator'] }
    const files = wholeBoot({ late })
    const report = inspect(files)
    expect(report.verdict).toBe('good')
    expect(report.eventLog[0]?.late).toEqual([
      { pcr: 0, words: ['os-separator'] },
      { pcr: 9, words: ['os-separator'] },
      { pcr: 11, words: late[11] },
    ])
    const separated = Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14].map((pcr) => [pcr, ['os-separator']]))
    const derived = { ...wholeBoot({ late: { ...separated, 11: ['ready'] } }), pcrs: null }
    expect(inspect(derived)).toMatchObject({ verdict: 'good', pcrsFrom: 'replay' })
  })

  test('RSA keys are known too', () => {
    expect(inspect(wholeBoot({ signer: new SoftwareSigner('rsapss') })).verdict).toBe('good')
  })
})

describe('what is missing is never good', () => {
  test('no boot log: the essential part was not appraised', () => {
    const report = inspect({ ...files, eventLog: null })
    expect(statusOf(report, 'event log')).toBe('not-appraised')
    expect(report.verdict).toBe('not-appraised')
  })

  test('no kernel list: good without it, and said so', () => {
    const report = inspect({ ...files, ima: null })
    expect(report.verdict).toBe('good')
    expect(statusOf(report, 'kernel list')).toBe('not-appraised')
  })

  test('a kernel list that the quote does not cover', () => {
    const report = inspect(wholeBoot({ quotedPcrs: QUOTED.filter((pcr) => pcr !== 10) }))
    expect(statusOf(report, 'kernel list')).toBe('not-appraised')
    expect(report.verdict).toBe('not-appraised')
  })

  test('neither values nor logs that lead to them', () => {
    expect(codesOf(inspect({ ...files, pcrs: null, ima: null }), 'quote')).toEqual(['quote.pcrs-missing'])
    expect(codesOf(inspect({ ...files, pcrs: null, eventLog: null, ima: null }), 'quote')).toEqual([
      'quote.pcrs-missing',
    ])
  })

  test('unknown values do not hide what else a quote fails', () => {
    const report = inspect({ ...files, pcrs: null, eventLog: null, nonce: Uint8Array.of(1) })
    expect(codesOf(report, 'quote')).toEqual(['quote.nonce-mismatch', 'quote.pcrs-missing'])
  })

  test('values of other banks only', () => {
    const report = inspect({ ...files, pcrs: Buffer.from(`sha1:\n  0 : 0x${'00'.repeat(20)}\n`) })
    expect(statusOf(report, 'quote')).toBe('failed')
    expect(report.verdict).toBe('failed')
  })

  test('no parts, and parts of which none is essential', () => {
    expect(verdictOf([])).toBe('not-appraised')
    expect(verdictOf([notAppraised('key', false, 'x')])).toBe('not-appraised')
    expect(verdictOf([good('quote', 'x'), notAppraised('key', false, 'x')])).toBe('good')
    expect(verdictOf([good('quote', 'x'), weak('secure boot', 'x')])).toBe('failed')
    expect(() => failed('quote', [])).toThrow('without a reason')
  })
})

describe('faults', () => {
  test.each<[string, Partial<BootFiles>, PartName, string]>([
    ['another nonce', { nonce: Uint8Array.of(1) }, 'quote', 'quote.nonce-mismatch'],
    ['an empty nonce', { nonce: new Uint8Array(0) }, 'quote', 'quote.nonce-mismatch'],
    ['another key', { key: other.key }, 'quote', 'quote.signature-invalid'],
    ['the signature of another quote', { signature: other.signature }, 'quote', 'quote.signature-invalid'],
    ['a cut quote', { attest: files.attest.subarray(0, -1) }, 'quote', 'tpm.malformed'],
    ['a cut signature', { signature: files.signature.subarray(0, -1) }, 'quote', 'tpm.malformed'],
    ['the PCR values of another boot', { pcrs: other.pcrs }, 'quote', 'quote.pcr-digest-mismatch'],
    ['cut PCR values', { pcrs: (files.pcrs as Uint8Array).subarray(0, -1) }, 'quote', 'tpm.malformed'],
    ['a cut event log', { eventLog: files.eventLog?.subarray(0, -1) ?? null }, 'event log', 'eventlog.malformed'],
    ['the log of another boot', { eventLog: agileLog(goodBoot().slice(1)) }, 'event log', 'eventlog.replay-mismatch'],
    ['a cut kernel list', { ima: files.ima?.subarray(0, -1) ?? null }, 'kernel list', 'ima.malformed'],
    ['the kernel list of another boot', { ima: other.ima }, 'kernel list', 'ima.replay-mismatch'],
    ['an empty kernel list', { ima: new Uint8Array(0) }, 'kernel list', 'ima.replay-mismatch'],
    ['an empty event log', { eventLog: new Uint8Array(0) }, 'event log', 'eventlog.malformed'],
  ])('%s', (_, change, part, code) => {
    const report = inspect({ ...files, ...change })
    expect(codesOf(report, part)).toContain(code)
    expect(report.verdict).toBe('failed')
  })

  test('any byte of quote, signature or nonce flipped', () => {
    for (const name of ['attest', 'signature', 'nonce'] as const) {
      for (let offset = 0; offset < files[name].length; offset++) {
        const report = inspect({ ...files, [name]: flip(files[name], offset) })
        expect(report.verdict, `${name}, byte ${offset}`).toBe('failed')
        expect(report.pcrs).toBeNull()
      }
    }
  })

  test('a key that is not restricted', () => {
    const { area } = files.key as Extract<BootFiles['key'], { kind: 'public-area' }>
    const attributes = new Set([...area.attributes].filter((attribute) => attribute !== 'restricted'))
    const report = inspect({ ...files, key: { kind: 'public-area', area: { ...area, attributes } } })
    expect(codesOf(report, 'key')).toEqual(['tpm.key-attributes'])
    expect(codesOf(report, 'quote')).toContain('tpm.key-attributes')
    expect(report.verdict).toBe('failed')
  })

  test('a public area that is not the one which the quote names is not good', () => {
    const { area } = files.key as Extract<BootFiles['key'], { kind: 'public-area' }>
    const attributes = new Set([...area.attributes].filter((attribute) => attribute !== 'noDA'))
    const report = inspect({ ...files, key: { kind: 'public-area', area: { ...area, attributes } } })
    expect(statusOf(report, 'key')).toBe('not-appraised')
    expect(report.verdict).toBe('not-appraised')
  })

  test('every failure of a quote is listed', () => {
    const report = inspect({ ...files, nonce: Uint8Array.of(1), signature: other.signature, pcrs: other.pcrs })
    expect(codesOf(report, 'quote')).toEqual([
      'quote.signature-invalid',
      'quote.nonce-mismatch',
      'quote.pcr-digest-mismatch',
    ])
  })

  test('an endorsement that failed fails the boot', () => {
    const endorsement = failed('endorsement', [{ code: 'enrol.ek-untrusted', detail: 'x', remedy: 'y' }])
    expect(inspect({ ...files, endorsement }).verdict).toBe('failed')
  })
})

describe('a boot that is proven and not good', () => {
  test('a log without the events of a PCR that was extended', () => {
    const events = goodBoot()
    const stripped = { ...wholeBoot({ events }), eventLog: agileLog(events.filter(({ pcr }) => pcr !== 11)) }
    const report = inspect(stripped)
    expect(statusOf(report, 'event log')).toBe('weak')
    expect(report.verdict).not.toBe('good')
  })

  test('an endorsement that nothing ties to the quote is not counted', () => {
    const report = inspect({ ...files, endorsement: good('endorsement', 'the EK certificate of some TPM') })
    expect(statusOf(report, 'endorsement')).toBe('not-appraised')
  })

  const events = goodBoot()
  const withoutSecureBoot = [...secureBootVariables(0), separator(7), ...events.filter(({ pcr }) => pcr !== 7)]

  test('Secure Boot off', () => {
    const report = inspect(wholeBoot({ events: withoutSecureBoot }))
    expect(statusOf(report, 'secure boot')).toBe('weak')
    expect(report.verdict).toBe('failed')
  })

  test('Secure Boot unknown', () => {
    const report = inspect(wholeBoot({ events: events.filter(({ type }) => type !== 'EV_EFI_VARIABLE_AUTHORITY') }))
    expect(codesOf(report, 'secure boot')).toEqual(['eventlog.authority-missing'])
    expect(report.secureBoot).toMatchObject({ enabled: 'unknown' })
    expect(report.verdict).toBe('failed')
  })

  test('a firmware PCR without separator', () => {
    const report = inspect(
      wholeBoot({ events: events.filter(({ pcr, type }) => pcr !== 3 || type !== 'EV_SEPARATOR') }),
    )
    expect(statusOf(report, 'boot coverage')).toBe('weak')
    const twice = inspect(wholeBoot({ events: [...events, separator(3)] }))
    expect(codesOf(twice, 'firmware PCRs')).toEqual(['eventlog.separator'])
    for (const { verdict } of [report, twice]) expect(verdict).toBe('failed')
  })

  test('PCRs that were not quoted', () => {
    const report = inspect(wholeBoot({ quotedPcrs: [4, 7, 10] }))
    expect(statusOf(report, 'boot coverage')).toBe('weak')
    expect(codesOf(report, 'boot aggregate')).toEqual(['ima.boot-aggregate-unchecked'])
  })

  test('a violation, whose entry is named', () => {
    const report = inspect(wholeBoot({ list: [{ path: '/var/log/x', violation: true }] }))
    expect(codesOf(report, 'kernel list')).toEqual(['ima.violation'])
    expect(report.kernelList[0]?.violations).toEqual([{ sequence: 1, path: '/var/log/x' }])
    expect(report.verdict).toBe('failed')
  })
})
