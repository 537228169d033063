import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { inspectEventLog } from '../../../shared/eventlog/inspect.ts'
import { plainEvents } from '../../support/eventlog-arbitrary.ts'
import { agileLog, goodBoot, sha1Log, startupLocality } from '../../support/eventlog-builder.ts'
import { fixturePath, fixturesDescribe } from '../../support/fixtures.ts'

/** tpm2-tools as a second opinion on the same bytes. */
const installed = spawnSync('tpm2_eventlog', ['--version']).status === 0
const withTool = installed ? describe : describe.skip
const title = installed ? 'tpm2_eventlog agrees' : 'tpm2_eventlog agrees (skipped: tpm2-tools is not installed)'

/** The `pcrs:` section of its YAML: bank, then lines of index and value. */
function toolPcrs(path: string): Record<string, Record<string, string>> {
  const output = execFileSync('tpm2_eventlog', [path], {
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  })
  const pcrs: Record<string, Record<string, string>> = {}
  let bank: Record<string, string> = {}
  for (const line of output.split('\npcrs:\n')[1]?.split('\n') ?? []) {
    const heading = /^ {2}(\w+):$/.exec(line)?.[1]
    if (heading !== undefined) pcrs[heading] = bank = {}
    const [, pcr, value] = /^ {4}(\d+) *: 0x([0-9a-f]+)$/.exec(line) ?? []
    if (pcr !== undefined && value !== undefined) bank[pcr] = value
  }
  return pcrs
}

function expectAgreement(path: string): void {
  const theirs = toolPcrs(path)
  expect(Object.keys(theirs)).not.toEqual([])
  const { pcrs, startupLocality } = inspectEventLog(readFileSync(path), hash)
  // tpm2-tools learned only with version 5.6 that PCR 0 starts at the locality.
  if (startupLocality !== 0)
    for (const bank of [...Object.values(theirs), ...Object.values(pcrs)] as Record<string, string>[]) delete bank['0']
  expect(pcrs).toEqual(theirs)
}

withTool(title, () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-eventlog-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  test.each([
    ['crypto-agile', agileLog(goodBoot(), ['sha1', 'sha256', 'sha384'])],
    ['SHA-1', sha1Log(goodBoot())],
    ['startup locality 3', agileLog([startupLocality(3), ...goodBoot()])],
  ])('on a log built here: %s', (name, log) => {
    const path = join(directory, `${name}.bin`)
    writeFileSync(path, log)
    expectAgreement(path)
  })

  test('on any log built here', () => {
    const path = join(directory, 'any.bin')
    fc.assert(
      fc.property(plainEvents, fc.boolean(), (events, agile) => {
        writeFileSync(path, agile ? agileLog(events, ['sha1', 'sha256', 'sha384', 'sha512']) : sha1Log(events))
        const theirs = toolPcrs(path)
        const { pcrs } = inspectEventLog(readFileSync(path), hash)
        // The tool leaves out a bank that nothing was measured into.
        expect(Object.fromEntries(Object.entries(pcrs).filter(([, values]) => Object.keys(values).length > 0))).toEqual(
          theirs,
        )
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  // The tool crashes on the option ROM log, and wants a Spec ID event where the short one has another.
  fixturesDescribe('eventlogs', 'on logs of real machines', () => {
    test.each([
      'arch-linux-workstation.bin',
      'debian-10.bin',
      'ebs_event_missing_eventlog.bin',
      'event-moklisttrusted.bin',
      'event-sd-boot-fedora37.bin',
      'gdc-host.bin',
      'rhel8-uefi.bin',
      'ubuntu-2404-amd-sevsnp.bin',
    ])('%s', (name) => expectAgreement(fixturePath('eventlogs', name)))
  })

  fixturesDescribe('vm-sb', 'on the virtual machine', () => {
    test('binary_bios_measurements', () => expectAgreement(fixturePath('vm-sb', 'binary_bios_measurements')))
  })
})
