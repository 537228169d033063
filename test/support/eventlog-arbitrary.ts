import * as fc from 'fast-check'
import { EVENT_TYPE, NO_PCR } from '../../shared/eventlog/constants.ts'
import { ascii, goodBoot, noAction, startupLocality, u32, type EventSpec } from './eventlog-builder.ts'

/** Logs that a machine could have written, for properties: any events in any order, with and without hashed data. */

/** PCRs that the firmware and the operating system extend from any locality. */
const STATIC_PCRS = 15

const data = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes))
const notAction = Object.values(EVENT_TYPE).filter((type) => type !== EVENT_TYPE.EV_NO_ACTION)

const measured = (types: readonly number[]): fc.Arbitrary<EventSpec> =>
  fc
    .record({
      pcr: fc.nat(STATIC_PCRS),
      type: fc.constantFrom(...types),
      data,
      hashed: fc.option(data, { nil: undefined }),
    })
    .map(({ hashed, ...event }) => (hashed === undefined ? event : { ...event, hashed }))

const note: fc.Arbitrary<EventSpec> = fc.oneof(
  fc
    .record({ data, pcr: fc.oneof(fc.nat(STATIC_PCRS), fc.constant(NO_PCR)) })
    .map((one) => noAction(one.data, one.pcr)),
  fc.constant(startupLocality(0)),
  fc.record({ data, pcr: fc.constant(NO_PCR), type: fc.constantFrom(...notAction) }),
)

/** Events of every type, some of no meaning. */
export const anyEvents: fc.Arbitrary<EventSpec[]> = fc.array(
  fc.oneof(
    { arbitrary: measured([...notAction, 0x402, 0x10000000, 0x7fffffff]), weight: 4 },
    { arbitrary: fc.constantFrom(...goodBoot()), weight: 2 },
    { arbitrary: note, weight: 1 },
  ),
  { maxLength: 40 },
)

/**
 * Events whose data tpm2_eventlog reads whatever they are: it refuses a log that has others in a bad form. No notes: before
 * version 5.6 it extends their zeros.
 */
export const plainEvents: fc.Arbitrary<EventSpec[]> = fc.array(
  fc.oneof(
    measured([EVENT_TYPE.EV_COMPACT_HASH, EVENT_TYPE.EV_EVENT_TAG, EVENT_TYPE.EV_EFI_HANDOFF_TABLES]).map((event) => ({
      ...event,
      data: Buffer.concat([u32(1), u32(event.data.length), event.data]),
    })),
    fc.constant<EventSpec>({ pcr: 4, type: 'EV_EFI_ACTION', data: ascii('Calling EFI Application from Boot Option') }),
    fc.constantFrom(...goodBoot()),
  ),
  { minLength: 1, maxLength: 60 },
)
