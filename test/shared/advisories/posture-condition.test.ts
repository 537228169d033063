import * as fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { conditionFrom, conditionText, PostureCondition } from '../../../shared/advisories/posture-condition.ts'

const word = fc.stringMatching(/^[a-z0-9][a-z0-9._/-]{0,20}$/)
const arbitrary: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({ kind: fc.constantFrom('package-absent', 'package-present'), package: fc.stringMatching(/^[a-z0-9]+$/) }),
  fc.record({
    kind: fc.constant('port-closed'),
    protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
    port: fc.integer({ min: 1, max: 65_535 }),
  }),
  fc.record({ kind: fc.constant('setting'), name: word, value: word }),
  fc.record({
    kind: fc.constant('fact'),
    section: fc.constantFrom('hardening', 'boot', 'firewall'),
    // A subject may have what separates the parts.
    subject: fc.array(fc.oneof(word, fc.constantFrom('=', ':', ' ', '"')), { minLength: 1 }).map((all) => all.join('')),
    value: word,
  }),
)

describe('a condition over postures', () => {
  it('is the same after it was written as a line and read again', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const parsed = v.safeParse(PostureCondition, value)
        if (!parsed.success) return
        expect(conditionFrom(conditionText(parsed.output))).toEqual(parsed.output)
      }),
    )
  })

  it.each([
    '',
    'package-absent',
    'package-absent:',
    'package-absent:two words',
    'port-closed:tcp/0',
    'port-closed:tcp/65536',
    'port-closed:icmp/1',
    'port-closed:23',
    'setting:kernel.kptr_restrict',
    'setting:=1',
    'fact:nothing:x=1',
    'fact:hardening:swap',
    'listens:tcp/23',
    // Why nobody knows is nothing that a device can be relied on to be.
    'setting:kernel.kptr_restrict=(no-permission)',
    'fact:hardening:swap=(unreadable)',
  ])('is refused as %j', (line) => {
    expect(conditionFrom(line)).toBeUndefined()
  })

  it('of something that the system does not have is one', () => {
    expect(conditionFrom('fact:hardening:swap=(absent)')).toMatchObject({ subject: 'swap', value: '(absent)' })
  })
})
