import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { measuredCommandLine } from '../../../shared/eventlog/command-line.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { replayBank } from '../../../shared/eventlog/replay.ts'
import type { ReplayedLog } from '../../../shared/eventlog/types.ts'
import { grub, grubBoot, provenLog, section, unifiedBoot } from '../../support/boots.ts'
import { ascii, goodBoot, utf16, type EventSpec } from '../../support/eventlog-builder.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'

const options = (text: string, pcr = 12): EventSpec => ({ pcr, type: 'EV_IPL', data: utf16(`${text}\0`) })
/** What firmware measures, without the unified kernel image of `goodBoot`. */
const firmware = goodBoot().filter(({ pcr }) => pcr !== 11)
const read = (events: readonly EventSpec[]) => measuredCommandLine(provenLog(events), hash)
const INITRD = 'initrd=\\initrd.img '

describe('the command line of GRUB', () => {
  test('is the text behind the word that tells what it is', () => {
    expect(read(grubBoot())).toEqual({ loader: 'grub', text: '/vmlinuz-6.1.0-13 ro quiet' })
  })

  test('is found behind the word of an older GRUB too', () => {
    const text = 'grub_kernel_cmdline (hd0,gpt2)/vmlinuz ro'
    const event = grub(8, text, '(hd0,gpt2)/vmlinuz ro')
    expect(read([...firmware, event])).toEqual({ loader: 'grub', text: '(hd0,gpt2)/vmlinuz ro' })
  })

  test('is the last one, which replaces those before', () => {
    expect(read([...grubBoot(), grub(8, 'kernel_cmdline: /rescue single')])).toMatchObject({ text: '/rescue single' })
  })

  test('is not known where the digest of the last one covers another text', () => {
    expect(read([...grubBoot(), grub(8, 'kernel_cmdline: /shown ro', '/measured ro')])).toBeUndefined()
  })

  test('is not known from a PCR that was not quoted', () => {
    const { events, ...log } = provenLog(grubBoot())
    expect(measuredCommandLine({ ...log, events: events.filter(({ pcr }) => pcr !== 8) } as ReplayedLog, hash)).toBe(
      undefined,
    )
  })
})

describe('the command line of systemd-boot', () => {
  test.each([12, 8])('is what it measured into PCR %d', (pcr) => {
    expect(read([...firmware, options(`${INITRD}ro quiet`, pcr)])).toEqual({
      loader: 'systemd-boot',
      text: `${INITRD}ro quiet`,
    })
  })

  test('is in bytes of UTF-8, and ends at a line break as in the kernel', () => {
    expect(read([...firmware, options(`${INITRD}name=ü\nignored`)])).toMatchObject({
      text: `${INITRD}name=\u00c3\u00bc`,
    })
  })

  test.each([
    [
      'of a unified image, which may not take it',
      [...firmware, ...section('.linux', 'kernel'), options(`${INITRD}ro`)],
    ],
    ['without an initrd of its own, as of a unified image', [...firmware, options('ro quiet')]],
    ['that covers another text', [...firmware, { ...options(`${INITRD}ro`), hashed: ascii('something else') }]],
    ['followed by a measurement that is none', [...firmware, options(`${INITRD}ro`), options('Credentials initrd')]],
    ['that is no UTF-16', [...firmware, { ...options(''), data: ascii(`${INITRD}ro`) }]],
    ['in no log', firmware],
  ] as [string, EventSpec[]][])('%s is not known', (_, events) => {
    expect(read(events)).toBeUndefined()
  })
})

test('the command line within a unified image is no text of the log', () => {
  expect(read(unifiedBoot())).toBeUndefined()
})

fixturesDescribe('eventlogs', 'the command line of real boots', () => {
  const real = (name: string) => {
    const log = parseEventLog(readFixture('eventlogs', name))
    const values = new Map([[11, new Uint8Array(32)], ...replayBank(log, 'sha256', hash)])
    return measuredCommandLine(verifyEventLog(log, 'sha256', values, hash), hash)
  }

  test('by systemd-boot, which then used PCR 8', () => {
    expect(real('arch-linux-workstation.bin')).toEqual({
      loader: 'systemd-boot',
      text: expect.stringMatching(/^initrd=\\intel-ucode\.img initrd=\\initramfs-linux-lts\.img cryptdevice=UUID=/),
    })
  })

  test.each([
    ['ubuntu-2404-amd-sevsnp.bin', /^\/vmlinuz-6\.8\.0-1010-gcp root=PARTUUID=\S+ ro console=ttyS0,115200 panic=-1$/],
    ['gdc-host.bin', /^\/vmlinuz-6\.9\.0-rc7\+ root=\/dev\/mapper\/ubuntu--vg-ubuntu--lv ro /],
    ['event-moklisttrusted.bin', /^\(hd0,gpt2\)\/vmlinuz-5\.14\.0-130\.el9\.x86_64 root=UUID=/],
    ['rhel8-uefi.bin', /^\(hd0,gpt2\)\/boot\/vmlinuz-4\.18\.0-240\.22\.1\.el8_3\.x86_64 root=UUID=/],
  ])('%s by GRUB', (name, text) => {
    expect(real(name)).toEqual({ loader: 'grub', text: expect.stringMatching(text) })
  })
})
