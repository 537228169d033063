import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeLogAnswer,
  decodeSectionsAnswer,
  encodeLogAnswer,
  encodeSectionsAnswer,
  LOG_STATUSES,
  type HelperReading,
  type LogContent,
  type SectionsAnswer,
} from '../../../agent/measure/answer.ts'
import { LOGS, MAX_ANSWER_BYTES } from '../../../agent/measure/protocol.ts'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import type { CborValue } from '../../../shared/cbor/value.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import { SECTION_IDS } from '../../../shared/posture/sections.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { contents } from '../../support/posture.ts'

const system = { boot: new Uint8Array(16).fill(7), root: '64768:2', cpuMs: 3 }

const reading = fc.constantFrom(...SECTION_IDS).chain((section): fc.Arbitrary<HelperReading> => {
  const content: fc.Arbitrary<SectionReading> = fc.oneof(
    (contents[section] as fc.Arbitrary<never>).map((value) => ({ status: 'measured', content: value }) as const),
    fc.constant({ status: 'failed', code: 'input-malformed' } as const),
    fc.constant({ status: 'no-permission', reason: 'file-not-readable' } as const),
  )
  const key = fc.string({ unit: fc.constantFrom('a', '-'), maxLength: 4 }).map((name) => `${section}.${name}`)
  const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.string({ maxLength: 8 }))
  return fc.record({
    section: fc.constant(section),
    reading: content,
    state: fc.array(fc.tuple(key, scalar), { maxLength: 3 }).map((entries) => new Map(entries)),
    cpuMs: fc.nat(100),
    detail: fc.string({ maxLength: 8 }),
  })
})
const answers: fc.Arbitrary<SectionsAnswer> = fc
  .uniqueArray(reading, { selector: ({ section }) => section, maxLength: 3 })
  .map((readings) => ({ ...system, readings }))

const logs: fc.Arbitrary<LogContent> = fc.oneof(
  fc.uint8Array({ maxLength: 32 }).map((content) => ({ status: 'found', content }) as const),
  fc.constantFrom(...LOG_STATUSES.filter((status) => status !== 'found')).map((status) => ({ status })),
)

/** Either refused as a fault of the message, or the one spelling of what was read. */
function isRefusedOrSame(bytes: Uint8Array, again: (bytes: Uint8Array) => Uint8Array): void {
  try {
    expect(again(bytes)).toEqual(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(OutcomeError)
  }
}

const damaged = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(bytes, fc.nat(), fc.nat(255), fc.boolean()).map(([whole, at, value, cut]) => {
    const changed = Uint8Array.from(whole)
    changed[at % changed.length] = value
    return cut ? changed.subarray(0, at % changed.length) : changed
  })

describe('an answer with sections', () => {
  const again = (bytes: Uint8Array) => encodeSectionsAnswer(decodeSectionsAnswer(bytes))

  test('is read as it was written', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const bytes = encodeSectionsAnswer(answer)
        const decoded = decodeSectionsAnswer(bytes)
        expect(encodeSectionsAnswer(decoded)).toEqual(bytes)
        // Contents come back in their canonical form.
        const canonical = decoded.readings.map(({ reading: { status } }, index) => {
          const { reading, ...rest } = answer.readings[index] as HelperReading
          expect(status).toBe(reading.status)
          return { ...rest, reading: decoded.readings[index]?.reading }
        })
        expect(decoded).toEqual({ ...answer, readings: canonical })
      }),
    )
  })

  test('of any bytes is refused, or says one thing in one way', () => {
    const bytes = fc.oneof(damaged(answers.map(encodeSectionsAnswer)), fc.uint8Array({ maxLength: 128 }))
    // A reading that does not fit is said otherwise than it came: as one that failed, with the reason.
    const isUnfit = (received: Uint8Array) =>
      outcomeOf(() => decodeSectionsAnswer(received)) === undefined &&
      decodeSectionsAnswer(received).readings.some(
        ({ reading, detail }) => reading.status === 'failed' && detail.includes(': '),
      )
    fc.assert(
      fc.property(bytes, (received) => {
        if (!isUnfit(received)) isRefusedOrSame(received, again)
      }),
    )
  })

  const good: HelperReading = {
    section: 'system',
    reading: { status: 'not-supported', reason: 'no-platform-facts' },
    state: new Map([['system.x', 1]]),
    cpuMs: 1,
    detail: '',
  }
  const written = (...readings: HelperReading[]) => encodeSectionsAnswer({ ...system, readings })
  const refusal = (bytes: Uint8Array) => outcomeOf(() => decodeSectionsAnswer(bytes))
  const changed = (key: string, value: CborValue) =>
    encodeCbor(new Map([...(decodeCbor(written(good)) as ReadonlyMap<string, CborValue>), [key, value]]))

  test('is refused where it speaks for another part of the agent', () => {
    expect(refusal(written(good))).toBeUndefined()
    expect(refusal(written({ ...good, state: new Map([['outbox.dropped', 0]]) }))).toBe('section.malformed')
    expect(refusal(written({ ...good, state: new Map([['systemx', 0]]) }))).toBe('section.malformed')
  })

  test('is refused with two readings of one section', () => {
    expect(refusal(written(good, good))).toBe('section.malformed')
  })

  test.each<[string, string, CborValue]>([
    ['another version', 'version', 2],
    ['another probe', 'probe', 'firmware-log'],
    ['no whole boot id', 'boot', new Uint8Array(15)],
    ['a key that is not known', 'more', 1],
    ['a negative time', 'cpuMs', -1],
    ['a text for its readings', 'readings', 'none'],
    ['a section that is not known', 'readings', [new Map<string, CborValue>([['section', 'x']])]],
  ])('is refused with %s', (_, key, value) => {
    expect(refusal(changed(key, value))).toBe('section.malformed')
  })

  test('has a section that failed where a reading is not canonical, and all others', () => {
    const other = encodeCbor(new Map<string, CborValue>([['section', 'packages']]))
    const [entry] = decodeSectionsAnswer(written(good)).readings
    const map = new Map<string, CborValue>([
      ['section', entry?.section ?? ''],
      ['reading', other],
      ['state', new Map()],
      ['cpuMs', 1],
      ['detail', ''],
    ])
    const another = new Map<string, CborValue>([...map, ['section', 'packages']])
    const { readings } = decodeSectionsAnswer(changed('readings', [map, another]))
    expect(readings.map(({ reading }) => reading)).toEqual([
      { status: 'failed', code: 'sensor-fault' },
      { status: 'failed', code: 'sensor-fault' },
    ])
    expect(readings[0]?.detail).not.toBe('')
    const [whole] = (decodeCbor(written(good)) as ReadonlyMap<string, CborValue>).get('readings') as CborValue[]
    const beside = decodeSectionsAnswer(changed('readings', [whole as CborValue, another]))
    expect(beside.readings.map(({ reading: { status } }) => status)).toEqual(['not-supported', 'failed'])
  })
})

describe('an answer with a log', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(logs, (log) => {
        const answer = { ...system, log }
        expect(decodeLogAnswer('firmware-log', encodeLogAnswer('firmware-log', answer))).toEqual(answer)
      }),
    )
  })

  test('of any bytes is refused, or says one thing in one way', () => {
    const whole = logs.map((log) => encodeLogAnswer('measurement-list', { ...system, log }))
    const bytes = fc.oneof(damaged(whole), fc.uint8Array({ maxLength: 128 }))
    const again = (received: Uint8Array) =>
      encodeLogAnswer('measurement-list', decodeLogAnswer('measurement-list', received))
    fc.assert(fc.property(bytes, (received) => isRefusedOrSame(received, again)))
  })

  test('is not taken for one with another log', () => {
    const bytes = encodeLogAnswer('firmware-log', { ...system, log: { status: 'absent' } })
    expect(outcomeOf(() => decodeLogAnswer('measurement-list', bytes))).toBe('section.malformed')
  })

  test('may be as long as the log may be, and no longer', () => {
    const { maxBytes } = LOGS['firmware-log']
    const withLength = (length: number) =>
      encodeLogAnswer('firmware-log', { ...system, log: { status: 'found', content: new Uint8Array(length) } })
    expect(withLength(maxBytes).length).toBeLessThanOrEqual(MAX_ANSWER_BYTES['firmware-log'])
    expect(outcomeOf(() => decodeLogAnswer('firmware-log', withLength(maxBytes)))).toBeUndefined()
    expect(outcomeOf(() => decodeLogAnswer('firmware-log', withLength(maxBytes + 1)))).toBe('section.malformed')
  })
})
