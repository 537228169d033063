import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../shared/bytes/bytes.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { captureBootReference, measuredEvents } from '../../../../shared/eventlog/reference/capture.ts'
import { compareBoot } from '../../../../shared/eventlog/reference/compare.ts'
import { proposeBootReference } from '../../../../shared/eventlog/reference/propose.ts'
import { application, grubBoot, provenLog } from '../../../support/boots.ts'
import { GLOBAL, u16, variableData, type EventSpec } from '../../../support/eventlog-builder.ts'

const ALL = new Set(Array.from({ length: 16 }, (_, pcr) => pcr))

function propose(...boots: readonly (readonly EventSpec[])[]) {
  const [first, ...others] = boots.map((boot) => provenLog(boot))
  const reference = first === undefined ? undefined : captureBootReference(first, hash)
  if (reference === undefined) throw new Error('no reference')
  return proposeBootReference(
    reference,
    others.map((log) => measuredEvents(log, hash)),
  )
}

const differencesOf = (proposal: ReturnType<typeof propose>, boot: readonly EventSpec[]) =>
  compareBoot(proposal.reference, provenLog(boot), ALL, hash).differences

const bootOrder = (order: number): EventSpec => variable('BootOrder', order)
const variable = (name: string, value: number): EventSpec => ({
  pcr: 1,
  type: 'EV_EFI_VARIABLE_BOOT',
  data: variableData(name, GLOBAL, u16(value)),
})

describe('rules from several golden devices', () => {
  test('what one device alone shows is allowed exactly', () => {
    const proposal = propose(grubBoot())
    expect(proposal.tolerances).toEqual([])
    expect(differencesOf(proposal, [...grubBoot(), bootOrder(2)])).toHaveLength(1)
  })

  test('a boot variable in which they differ may have any value, also one that none of them has', () => {
    const proposal = propose([...grubBoot(), variable('BootNext', 1)], [...grubBoot(), variable('BootNext', 2)])
    expect(proposal.tolerances).toEqual([{ pcr: 1, name: 'variable BootNext', kind: 'any-value', values: 2 }])
    expect(differencesOf(proposal, [...grubBoot(), variable('BootNext', 3)])).toEqual([])
  })

  test('another variable is not let pass in the place of one that may have any value', () => {
    const proposal = propose([...grubBoot(), variable('BootNext', 1)], [...grubBoot(), variable('BootNext', 2)])
    expect(differencesOf(proposal, [...grubBoot(), variable('Driver0000', 1)])).not.toEqual([])
  })

  test('an event whose data was not what is measured is not let pass as any value of a variable', () => {
    const proposal = propose([...grubBoot(), variable('BootNext', 1)], [...grubBoot(), variable('BootNext', 2)])
    const forged = { ...variable('BootNext', 3), hashed: Buffer.from('something else') }
    expect(differencesOf(proposal, [...grubBoot(), forged])).not.toEqual([])
  })

  test('of kernels only those that were seen are allowed', () => {
    const proposal = propose(grubBoot(), grubBoot({ kernel: 'kernel 2' }))
    expect(proposal.tolerances.map(({ kind }) => kind)).toEqual(['one-of', 'one-of'])
    expect(differencesOf(proposal, grubBoot({ kernel: 'kernel 2' }))).toEqual([])
    expect(differencesOf(proposal, grubBoot({ kernel: 'kernel 3' }))).not.toEqual([])
  })

  test('an entry that one device lacks is optional, at its place', () => {
    const proposal = propose([...grubBoot(), variable('Boot0007', 1)], grubBoot())
    expect(proposal.tolerances.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['optional variable Boot0007'])
    expect(differencesOf(proposal, [variable('Boot0007', 1), ...grubBoot()])).not.toEqual([])
  })

  test('boot entries in another order make the order of their PCR free', () => {
    const entries = [variable('Boot0001', 1), variable('Boot0002', 2), variable('Boot0003', 3)] as const
    const [a, b, c] = entries
    const proposal = propose([...grubBoot(), a, b, c], [...grubBoot(), c, a, b])
    expect(proposal.tolerances.map(({ kind }) => kind)).toEqual(['any-order'])
    expect(differencesOf(proposal, [...grubBoot(), b, c, a])).toEqual([])
    expect(differencesOf(proposal, [...grubBoot(), b, c])).not.toEqual([])
  })

  const table = (content: string): EventSpec => ({
    pcr: 1,
    type: 'EV_EFI_HANDOFF_TABLES',
    data: Buffer.alloc(32),
    hashed: Buffer.from(content),
  })

  test('a table of the firmware with serial numbers may have any value, in PCR 1 alone', () => {
    const proposal = propose([...grubBoot(), table('serial 1')], [...grubBoot(), table('serial 2')])
    expect(proposal.tolerances.map(({ kind }) => kind)).toEqual(['any-value'])
    expect(differencesOf(proposal, [...grubBoot(), table('serial 3')])).toEqual([])
    const code = (content: string): EventSpec => ({ ...table(content), pcr: 2 })
    expect(propose([...grubBoot(), code('1')], [...grubBoot(), code('2')]).tolerances.map(({ kind }) => kind)).toEqual([
      'one-of',
    ])
  })

  test.each([13, 4, 7, 2])('what differs in PCR %i is allowed as it was seen, and no other way', (pcr) => {
    const measured = (content: string): EventSpec => ({ pcr, type: 'EV_EFI_GPT_EVENT', data: Buffer.from(content) })
    const proposal = propose([...grubBoot(), measured('1')], [...grubBoot(), measured('2')])
    expect(proposal.tolerances.map(({ kind }) => kind)).toEqual(['one-of'])
    expect(differencesOf(proposal, [...grubBoot(), measured('3')])).not.toEqual([])
  })

  test('of events whose digest is not that of their data only what was seen is allowed', () => {
    const opaque = (content: string): EventSpec => ({ ...variable('BootNext', 1), hashed: Buffer.from(content) })
    const proposal = propose([...grubBoot(), opaque('1')], [...grubBoot(), opaque('2')])
    expect(proposal.tolerances.map(({ kind }) => kind)).toEqual(['one-of'])
  })

  test('a free order does not move events across the separator of their PCR', () => {
    const [a, b] = [variable('Boot0001', 1), variable('Boot0002', 2)] as const
    const proposal = propose([...grubBoot(), a, b], [...grubBoot(), b, a])
    expect(proposal.conflicts).toEqual([])
    expect(differencesOf(proposal, [a, ...grubBoot(), b])).not.toEqual([])
  })

  test('another order in a PCR of code is a conflict, not a rule', () => {
    const [a, b] = [application('\\a.efi', 'a'), application('\\b.efi', 'b')] as const
    expect(propose([...grubBoot(), a, b], [...grubBoot(), b, a]).conflicts).toEqual([4])
  })

  const event = fc
    .record({ pcr: fc.constantFrom(1, 5), name: fc.integer({ min: 0, max: 5 }), value: fc.integer({ min: 0, max: 2 }) })
    .map(({ pcr, name, value }) => ({ ...variable(`Boot000${name}`, value), pcr }))
  const bootOf = (events: fc.Arbitrary<EventSpec[]>) => fc.array(events, { minLength: 1, maxLength: 4 })

  test('every boot that a proposal was made from conforms to it, but for the PCRs that it says it cannot express', () => {
    fc.assert(
      fc.property(bootOf(fc.array(event, { maxLength: 8 })), (added) => {
        const boots = added.map((events) => [...grubBoot(), ...events])
        const proposal = propose(...boots)
        const conflicts = new Set(proposal.conflicts)
        for (const boot of boots.slice(1)) {
          expect(differencesOf(proposal, boot).filter(({ pcr }) => !conflicts.has(pcr))).toEqual([])
        }
      }),
      { numRuns: 40 },
    )
  })

  test('where no event repeats, there are rules for any boots', () => {
    const unique = fc.uniqueArray(event, {
      maxLength: 8,
      selector: ({ pcr, data }) => `${pcr} ${toHex(data).slice(0, 80)}`,
    })
    fc.assert(
      fc.property(bootOf(unique), (added) => {
        const boots = added.map((events) => [...grubBoot(), ...events])
        const proposal = propose(...boots)
        expect(proposal.conflicts).toEqual([])
        for (const boot of boots) expect(differencesOf(proposal, boot)).toEqual([])
      }),
      { numRuns: 40 },
    )
  })
})
