import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { EVENT_TYPE } from '../../../shared/eventlog/constants.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { checkFirmwarePcrs } from '../../../shared/eventlog/rules.ts'
import {
  action,
  agileLog,
  ascii,
  dbAuthority,
  goodBoot,
  pcrsOf,
  separator,
  type EventSpec,
} from '../../support/eventlog-builder.ts'

function problemsOf(events: readonly EventSpec[]) {
  const log = verifyEventLog(parseEventLog(agileLog(events)), 'sha256', pcrsOf(events), hash)
  return checkFirmwarePcrs(log, hash).map(({ code, pcr }) => [code, pcr])
}
const without = (pcr: number) => goodBoot().filter((event) => event.type !== 'EV_SEPARATOR' || event.pcr !== pcr)

test('a regular boot has no problem', () => {
  expect(problemsOf(goodBoot())).toEqual([])
})

test('PCRs that nothing was measured into have no problem', () => {
  expect(problemsOf([])).toEqual([])
})

describe.each([0, 4, 7])('PCR %i', (pcr) => {
  test('without a separator', () => {
    const rest = [...without(pcr), { pcr, type: 'EV_EVENT_TAG', data: ascii('x') } as const]
    expect(problemsOf(rest)).toContainEqual(['eventlog.separator', pcr])
  })

  test('with two separators', () => {
    expect(problemsOf([...goodBoot(), separator(pcr)])).toEqual([['eventlog.separator', pcr]])
  })

  test('with a separator that tells of a firmware error', () => {
    expect(problemsOf([...without(pcr), separator(pcr, 1)])).toEqual([['eventlog.separator', pcr]])
  })

  test('with the older value of the separator', () => {
    expect(problemsOf([...without(pcr), separator(pcr, 0xffffffff)])).toEqual([])
  })

  test('with a separator whose data was not measured', () => {
    const forged = { ...separator(pcr), hashed: ascii('x') }
    expect(problemsOf([...without(pcr), forged])).toEqual([['eventlog.digest-mismatch', pcr]])
  })

  test('with an event type that does not exist', () => {
    const odd = { pcr, type: 0x7fffffff, data: ascii('x') }
    expect(problemsOf([...goodBoot(), odd])).toEqual([['eventlog.forbidden-event', pcr]])
  })
})

test('a type that belongs to another PCR is reported', () => {
  const misplaced = { pcr: 0, type: EVENT_TYPE.EV_EFI_VARIABLE_AUTHORITY, data: ascii('x') }
  expect(problemsOf([...goodBoot(), misplaced])).toEqual([['eventlog.forbidden-event', 0]])
})

test("PCRs beyond 7 are the operating system's", () => {
  expect(problemsOf([...goodBoot(), { pcr: 12, type: 0x7fffffff, data: ascii('x') }])).toEqual([])
})

describe('the end of boot services in PCR 5', () => {
  const later: EventSpec = { pcr: 5, type: 'EV_EFI_GPT_EVENT', data: ascii('x') }

  test('an event behind it is reported, whatever its type', () => {
    expect(problemsOf([...goodBoot(), later])).toEqual([['eventlog.forbidden-event', 5]])
    expect(problemsOf([...goodBoot(), { ...later, type: 'EV_EFI_ACTION' }])).toEqual([['eventlog.forbidden-event', 5]])
  })

  test('retagged does not hide what is behind it', () => {
    const retagged = goodBoot().map((event, i) => (i === goodBoot().length - 1 ? { ...event, type: 'EV_IPL' } : event))
    expect(problemsOf([...(retagged as EventSpec[]), later])).toEqual([['eventlog.forbidden-event', 5]])
  })

  test('may fail and be tried again', () => {
    const failed = ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Failure'].map((text) =>
      action(5, text),
    )
    expect(problemsOf([...goodBoot().slice(0, -2), ...failed, ...goodBoot().slice(-2)])).toEqual([])
  })
})

test('an authority of an option ROM in PCR 2, where some firmware measures it', () => {
  expect(problemsOf([{ ...dbAuthority(), pcr: 2 }, ...goodBoot()])).toEqual([])
})
