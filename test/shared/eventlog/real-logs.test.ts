import { describe, expect, test } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { inspectEventLog } from '../../../shared/eventlog/inspect.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { replayBank } from '../../../shared/eventlog/replay.ts'
import { checkFirmwarePcrs } from '../../../shared/eventlog/rules.ts'
import { secureBootState } from '../../../shared/eventlog/secure-boot.ts'
import { fixturesDescribe, readFixture, readJsonFixture } from '../../support/fixtures.ts'

type Values = Readonly<Partial<Record<HashAlgorithm, Readonly<Record<string, string>>>>>
const log = (name: string) => readFixture('eventlogs', name)
const inspect = (name: string) => inspectEventLog(log(name), hash)

fixturesDescribe('eventlogs', 'logs of real machines', () => {
  const expected = readJsonFixture('eventlogs', 'expected-pcrs.json') as Record<string, { pcrs: Values }>

  test.each(Object.entries(expected))('%s replays to the recorded PCR values', (name, { pcrs }) => {
    const replayed = inspect(name).pcrs
    for (const bank of Object.keys(pcrs) as HashAlgorithm[]) expect(replayed[bank]).toEqual(pcrs[bank])
  })

  test.each([
    ['rhel8-uefi.bin', true],
    ['debian-10.bin', true],
    ['event-moklisttrusted.bin', true],
    ['option_rom_eventlog.bin', true],
    ['ubuntu-2404-amd-sevsnp.bin', false],
    ['arch-linux-workstation.bin', false],
    ['gdc-host.bin', false],
    ['ebs_event_missing_eventlog.bin', false],
    ['event-sd-boot-fedora37.bin', false],
    ['short_no_action_eventlog.bin', 'unknown'],
  ])('%s: Secure Boot is %s', (name, enabled) => {
    const { secureBoot } = inspect(name)
    expect(secureBoot.enabled).toBe(enabled)
    if (enabled !== 'unknown') expect(secureBoot.problems).toEqual([])
  })

  test('names of certificates and what they allowed', () => {
    const { secureBoot } = inspect('event-moklisttrusted.bin')
    expect(secureBoot.platformKey).toMatchObject({ certificates: [{ subject: 'Red Hat Secure Boot (PK/KEK key 1)' }] })
    expect(secureBoot.sbatLevel).toEqual({ date: '2021030218', generations: {} })
    const allowed = secureBoot.authorities.map(({ variable, certificate }) => [variable, certificate?.subject])
    expect(allowed).toEqual([
      ['db', 'Microsoft Corporation UEFI CA 2011'],
      ['SbatLevel', undefined],
      ['MokListTrusted', undefined],
      ['Shim', 'Red Hat Secure Boot CA 5'],
    ])
  })

  test('disabled DMA protection is a weakness', () => {
    expect(inspect('gdc-host.bin').secureBoot.weaknesses).toEqual(['dma-protection-disabled'])
  })

  test('setup mode is recognised by the empty platform key', () => {
    expect(inspect('event-sd-boot-fedora37.bin').secureBoot.setupMode).toBe(true)
  })

  test('a startup locality is taken from the log', () => {
    expect(inspect('gdc-host.bin').startupLocality).toBe(3)
    expect(inspect('short_no_action_eventlog.bin').startupLocality).toBe(3)
  })

  test.each([
    'rhel8-uefi.bin',
    'debian-10.bin',
    'event-moklisttrusted.bin',
    'option_rom_eventlog.bin',
    'ubuntu-2404-amd-sevsnp.bin',
    'arch-linux-workstation.bin',
    'gdc-host.bin',
    'ebs_event_missing_eventlog.bin',
    'event-sd-boot-fedora37.bin',
  ])('%s keeps the rules of the firmware PCRs', (name) => {
    const parsed = parseEventLog(log(name))
    const bank = parsed.format === 'sha1' ? 'sha1' : 'sha256'
    const replayed = verifyEventLog(parsed, bank, replayBank(parsed, bank, hash), hash)
    expect(checkFirmwarePcrs(replayed, hash)).toEqual([])
  })

  test('the end of boot services that HP firmware does not log is found by the quote', () => {
    const parsed = parseEventLog(log('ebs_event_missing_eventlog.bin'))
    const values = new Map(replayBank(parsed, 'sha1', hash))
    for (const word of ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success']) {
      const digest = hash('sha1', Buffer.from(word))
      values.set(5, hash('sha1', Buffer.concat([values.get(5) ?? Buffer.alloc(20), digest])))
    }
    expect(verifyEventLog(parsed, 'sha1', values, hash).pcrs.get(5)).toMatchObject({
      late: ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success'],
    })
  })

  test('a firmware version that was not what was measured is shown as a contradiction', () => {
    const event = inspect('gdc-host.bin').events[3]
    expect(event).toMatchObject({ type: 'EV_S_CRTM_VERSION', proof: 'mismatch', description: 'firmware version 2.3.5' })
  })

  test('no other event of these logs contradicts its data', () => {
    const names = [
      ...Object.keys(expected),
      'option_rom_eventlog.bin',
      'ebs_event_missing_eventlog.bin',
      'event-moklisttrusted.bin',
    ]
    const contradictions = names.flatMap((name) =>
      inspect(name).events.flatMap((event) => (event.proof === 'mismatch' ? [`${name} ${event.sequence}`] : [])),
    )
    expect(contradictions).toEqual(['gdc-host.bin 3'])
  })
})

fixturesDescribe('quotes', 'a Windows machine with its quoted PCR values', () => {
  const dump = readJsonFixture('quotes', 'windows_gcp_shielded_vm.json') as {
    Log: { Raw: string; PCRs: { Index: number; Digest: string }[] }
  }

  test('is proven, and so is its Secure Boot', () => {
    const pcrs = new Map(dump.Log.PCRs.map(({ Index, Digest }) => [Index, Buffer.from(Digest, 'base64')]))
    const replayed = verifyEventLog(parseEventLog(Buffer.from(dump.Log.Raw, 'base64')), 'sha1', pcrs, hash)
    expect(secureBootState(replayed, hash)).toMatchObject({ basis: 'quote', enabled: true, problems: [] })
  })
})

fixturesDescribe('vm-sb', 'a virtual machine with Secure Boot on and its PCR values', () => {
  const values = { sha1: pcrsFrom('sha1'), sha256: pcrsFrom('sha256') }

  function pcrsFrom(bank: string): ReadonlyMap<number, Uint8Array> {
    const section =
      readFixture('vm-sb', 'pcrread.txt')
        .toString()
        .split(`${bank}:`)[1]
        ?.split(/\n {2}\w/)[0] ?? ''
    const lines = section.matchAll(/(\d+) *: 0x([0-9A-F]+)/g)
    return new Map([...lines].map(([, pcr, value]) => [Number(pcr), Buffer.from(value ?? '', 'hex')]))
  }

  describe.each(['sha1', 'sha256'] as const)('%s', (bank) => {
    const replayed = () =>
      verifyEventLog(parseEventLog(readFixture('vm-sb', 'binary_bios_measurements')), bank, values[bank], hash)

    test('all PCRs of the quote are explained, PCR 11 with the boot phases of systemd', () => {
      expect(values[bank].size).toBe(24)
      const { pcrs, events, laterEvents } = replayed()
      expect(pcrs.get(11)).toEqual({ status: 'replayed', events: 8, late: ['sysinit', 'ready'] })
      for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7, 9, 12]) expect(pcrs.get(pcr)?.status).toBe('replayed')
      for (const pcr of [8, 13, 14, 15, 17, 22]) expect(pcrs.get(pcr)?.status).toBe('untouched')
      expect(pcrs.get(10)).toEqual({ status: 'not-logged' })
      expect(events).toHaveLength(37)
      expect(laterEvents).toBe(0)
      expect(checkFirmwarePcrs(replayed(), hash)).toEqual([])
    })

    test('Secure Boot is proven on, by the key that its firmware variables hold', () => {
      const state = secureBootState(replayed(), hash)
      expect(state).toMatchObject({ basis: 'quote', enabled: true, setupMode: false, weaknesses: [] })
      expect(readFixture('vm-sb', 'efivars', 'SecureBoot')[4]).toBe(1)
      expect(state.authorities.map(({ certificate }) => certificate?.subject)).toEqual(['SnakeOil'])
      // Behind four bytes of attributes, a list header and the owner, the variable is the certificate.
      const certificate = readFixture('vm-sb', 'efivars', 'PK').subarray(4 + 28 + 16)
      const sha256 = toHex(hash('sha256', certificate))
      expect(state.platformKey).toMatchObject({ certificates: [{ subject: 'SnakeOil', sha256 }] })
    })
  })
})
