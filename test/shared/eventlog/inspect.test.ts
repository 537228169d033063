import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { NO_PCR } from '../../../shared/eventlog/constants.ts'
import { inspectEventLog } from '../../../shared/eventlog/inspect.ts'
import { agileLog, ascii, goodBoot, noAction, pcrsOf, sha1Log } from '../../support/eventlog-builder.ts'
import { outcomeOf } from '../../support/outcome.ts'

describe('a log shown without a server', () => {
  const shown = inspectEventLog(agileLog([...goodBoot(), noAction(ascii('note'), NO_PCR)]), hash)

  test('has the PCR values of each bank, of PCRs with events', () => {
    expect(Object.keys(shown.pcrs)).toEqual(['sha1', 'sha256'])
    expect(Object.keys(shown.pcrs.sha256 ?? {})).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '11'])
    expect(shown.pcrs.sha256?.['7']).toBe(pcrsOf(goodBoot()).get(7)?.toString('hex'))
    expect(shown.pcrs.sha1?.['0']).toBe(pcrsOf(goodBoot(), 'sha1').get(0)?.toString('hex'))
  })

  test('marks Secure Boot as what the log claims', () => {
    expect(shown.secureBoot).toMatchObject({ basis: 'log', enabled: true })
  })

  test('has every event with what proves it', () => {
    expect(shown.events).toHaveLength(goodBoot().length + 2)
    expect(shown.events[3]).toMatchObject({
      sequence: 3,
      pcr: 7,
      type: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
      extended: true,
      proof: 'data-hashed',
      description: 'SecureBoot: on',
    })
    expect(shown.events[2]).toMatchObject({ proof: 'digest-only' })
    expect(shown.events.at(-1)).toMatchObject({ pcr: null, extended: false })
    expect(shown.events.at(-1)).not.toHaveProperty('proof')
  })

  test('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown)
  })
})

test('a SHA-1 log has one bank', () => {
  expect(Object.keys(inspectEventLog(sha1Log(goodBoot()), hash).pcrs)).toEqual(['sha1'])
})

test('data that was not measured is shown as a contradiction', () => {
  const events = goodBoot().map((event, index) => (index === 2 ? { ...event, hashed: ascii('other') } : event))
  const shown = inspectEventLog(agileLog(events), hash)
  expect(shown.events[3]?.proof).toBe('mismatch')
  expect(shown.secureBoot.enabled).toBe('unknown')
})

test('an event type that does not exist is shown by its number', () => {
  const shown = inspectEventLog(agileLog([{ pcr: 1, type: 0x80ff, data: ascii('x') }]), hash)
  expect(shown.events[1]?.type).toBe('0x000080ff')
})

test('a log that cannot be parsed says where and why', () => {
  const log = agileLog(goodBoot())
  expect(outcomeOf(() => inspectEventLog(log.subarray(0, 200), hash))).toBe('eventlog.malformed')
  expect(() => inspectEventLog(log.subarray(0, 200), hash)).toThrow(/at byte \d+: /)
})

test('the bytes that were given are not changed', () => {
  const log = agileLog(goodBoot())
  const copy = Buffer.from(log)
  inspectEventLog(log, hash)
  expect(log.equals(copy)).toBe(true)
})
