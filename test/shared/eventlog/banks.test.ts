import { describe, expect, test } from 'vitest'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { bankProblems } from '../../../shared/eventlog/banks.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { secureBootState } from '../../../shared/eventlog/secure-boot.ts'
import type { ReplayedLog } from '../../../shared/eventlog/types.ts'
import {
  agileLog,
  ascii,
  configuration,
  digestOf,
  extendPcr,
  GLOBAL,
  goodBoot,
  pcrsOf,
  type EventSpec,
} from '../../support/eventlog-builder.ts'
import { outcomeOf } from '../../support/outcome.ts'

/** Of the builder's good boot. */
const SECURE_BOOT = 2

const BANKS: readonly HashAlgorithm[] = ['sha256', 'sha384']

type Values = Readonly<Record<'sha256' | 'sha384', ReadonlyMap<number, Uint8Array>>>
function replayed(log: Uint8Array, values: Values): [sha256: ReplayedLog, sha384: ReplayedLog] {
  const parsed = parseEventLog(log)
  return [verifyEventLog(parsed, 'sha256', values.sha256, hash), verifyEventLog(parsed, 'sha384', values.sha384, hash)]
}
const honest = (events: readonly EventSpec[]) => ({
  sha256: pcrsOf(events, 'sha256'),
  sha384: pcrsOf(events, 'sha384'),
})

test('banks that firmware extended alike agree', () => {
  expect(bankProblems(replayed(agileLog(goodBoot(), BANKS), honest(goodBoot())), hash)).toEqual([])
})

test('one bank has nothing to disagree with', () => {
  const [log] = replayed(agileLog(goodBoot(), BANKS), honest(goodBoot()))
  expect(bankProblems([log], hash)).toEqual([])
  expect(bankProblems([], hash)).toEqual([])
})

describe('bank downgrade: a bank that firmware left alone, extended to the history of a boot with Secure Boot on', () => {
  /** Firmware measured this in SHA-256 only. */
  const off = configuration('SecureBoot', GLOBAL, Buffer.from([0]))
  const truth = goodBoot().map((event, i) => (i === SECURE_BOOT ? off : event))
  /** The log has the data that fit the forged bank, over the true digests of the other one. */
  const forged = goodBoot().map((event, i) => ({
    ...event,
    digests: {
      sha256: digestOf('sha256', truth[i]?.hashed ?? truth[i]?.data ?? ascii('')),
      sha384: digestOf('sha384', event.hashed ?? event.data),
    },
  }))
  const values = { sha256: pcrsOf(truth, 'sha256'), sha384: pcrsOf(goodBoot(), 'sha384') }

  test('is seen by the contradiction between the banks', () => {
    const logs = replayed(agileLog(forged, BANKS), values)
    expect(secureBootState(logs[1], hash).enabled).toBe(true)
    expect(secureBootState(logs[0], hash).enabled).toBe('unknown')
    expect(bankProblems(logs, hash)).toMatchObject([{ code: 'eventlog.digest-mismatch', pcr: 7, sequence: 3 }])
    expect(bankProblems(logs.toReversed(), hash)).toMatchObject([{ code: 'eventlog.digest-mismatch', pcr: 7 }])
  })

  test('with the true data is refused in the forged bank', () => {
    const log = parseEventLog(agileLog(truth, BANKS))
    expect(outcomeOf(() => verifyEventLog(log, 'sha384', values.sha384, hash))).toBe('eventlog.replay-mismatch')
  })
})

test('a bank that was extended further than the other is seen', () => {
  const later: EventSpec = { pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data: ascii('later') }
  const values = honest([...goodBoot(), later])
  const logs = replayed(agileLog([...goodBoot(), later], BANKS), { ...values, sha384: pcrsOf(goodBoot(), 'sha384') })
  const problems = [{ code: 'eventlog.replay-mismatch', pcr: 4, sequence: goodBoot().length + 1 }]
  expect(bankProblems(logs, hash)).toMatchObject(problems)
  expect(bankProblems(logs.toReversed(), hash)).toMatchObject(problems)
})

test('a PCR that one bank does not quote is no disagreement', () => {
  const values = honest(goodBoot())
  values.sha384.delete(11)
  expect(bankProblems(replayed(agileLog(goodBoot(), BANKS), values), hash)).toEqual([])
})

test('a bank left at its reset values, of a log that announces it, is refused', () => {
  const values = new Map(Array.from({ length: 8 }, (_, pcr) => [pcr, Buffer.alloc(48)] as const))
  const log = parseEventLog(agileLog(goodBoot(), BANKS))
  // Nothing of the log came before such a quote, so nothing is proven by it.
  expect(verifyEventLog(log, 'sha384', values, hash).events).toEqual([])
  extendPcr(values, 0, digestOf('sha384', ascii('cap')), 'sha384')
  expect(outcomeOf(() => verifyEventLog(log, 'sha384', values, hash))).toBe('eventlog.replay-mismatch')
})
