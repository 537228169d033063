import { expect, test } from 'vitest'
import { pcrsAtKernelStart } from '../../../shared/ima/kernel-start.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { checkBootAggregate } from '../../../shared/ima/boot-aggregate.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import { verifyImaSuffix } from '../../../shared/ima/replay.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { agileLog, ascii, digestOf, extendPcr, goodBoot, pcrsOf } from '../../support/eventlog-builder.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { vmQuote } from '../../support/vm-sb.ts'

const FIRST_TEN = Array.from({ length: 10 }, (_, pcr) => pcr)

/** PCRs 0 to 9 after the logged boot. */
function booted(events = goodBoot()): Map<number, Buffer> {
  const logged = pcrsOf(events)
  return new Map(FIRST_TEN.map((pcr) => [pcr, Buffer.from(logged.get(pcr) ?? Buffer.alloc(32))]))
}

function measured(values: Map<number, Buffer>, pcr: number, ...words: readonly string[]): void {
  for (const word of words) extendPcr(values, pcr, digestOf('sha256', ascii(word)))
}

function startOf(quoted: ReadonlyMap<number, Uint8Array>, events = goodBoot()): ReadonlyMap<number, Uint8Array> {
  const log = verifyEventLog(parseEventLog(agileLog(events)), 'sha256', quoted, hash)
  return pcrsAtKernelStart(new Map([['sha256', quoted]]), log, hash).get('sha256') ?? new Map()
}

const plain = (values: ReadonlyMap<number, Uint8Array>): readonly string[] =>
  [...values].sort(([a], [b]) => a - b).map(([pcr, value]) => `${pcr} ${Buffer.from(value).toString('hex')}`)

test('what user space has measured since is left out of the PCRs at the start of the kernel', () => {
  const quoted = booted()
  for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7]) measured(quoted, pcr, 'os-separator')
  measured(quoted, 9, 'nvpcr-separator', 'os-separator')
  expect(plain(startOf(quoted))).toEqual(plain(booted()))
})

test('what firmware has measured behind its log is not', () => {
  const events = goodBoot().slice(0, -2)
  const start = booted(events)
  measured(start, 5, 'Exit Boot Services Invocation', 'Exit Boot Services Returned with Success')
  const quoted = new Map([...start].map(([pcr, value]) => [pcr, Buffer.from(value)]))
  measured(quoted, 5, 'os-separator')
  expect(plain(startOf(quoted, events))).toEqual(plain(start))
})

test('without a boot log, and where nothing came later, the quoted values are those of the start', () => {
  const quoted: PcrValues = new Map([['sha256', booted()]])
  expect(pcrsAtKernelStart(quoted, undefined, hash)).toBe(quoted)
  expect(plain(startOf(booted()))).toEqual(plain(booted()))
})

fixturesDescribe('vm-sb', 'the boot aggregate of a measured boot', () => {
  test('is over the PCRs that its log and its quote tell', () => {
    const { pcrs } = vmQuote()
    const quoted = pcrs.get('sha256') ?? new Map<number, Uint8Array>()
    const log = verifyEventLog(parseEventLog(readFixture('vm-sb', 'binary_bios_measurements')), 'sha256', quoted, hash)
    const suffix = parseBinaryImaList(readFixture('vm-sb', 'ima_binary.at_quote'))
    const quotedPcr10 = quoted.get(10) ?? new Uint8Array()
    const { entries } = verifyImaSuffix({ base: null, suffix, quotedPcr10, bank: 'sha256' }, hash)
    expect(checkBootAggregate(entries[0], pcrsAtKernelStart(pcrs, log, hash), hash)).toMatchObject({
      status: 'matches',
      pcrs: '0-9',
    })
  })
})
