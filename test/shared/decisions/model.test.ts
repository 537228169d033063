import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { standingOf, type Certificate, type CertificateState } from '../../../shared/decisions/certificate.ts'
import { readLog } from '../../../shared/decisions/log.ts'
import { namesOf, widened } from '../../../shared/decisions/products.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import {
  approveProfile,
  certificate,
  certified,
  DAY,
  DecidingPeople,
  issueCertificate,
} from '../../support/decision-log.ts'

/** Which states may follow which, as the practice model's table says: written down here a second time, on purpose. */
const MAY_FOLLOW: Readonly<Record<CertificateState, readonly CertificateState[]>> = {
  draft: ['valid', 'abandoned'],
  valid: ['valid-with-conditions', 'suspended', 'superseded', 'withdrawn'],
  'valid-with-conditions': ['valid', 'suspended', 'superseded', 'withdrawn'],
  suspended: ['valid', 'valid-with-conditions', 'superseded', 'withdrawn'],
  superseded: [],
  withdrawn: [],
  abandoned: [],
}

const IDS = ['crt_1', 'crt_2', 'crt_3'] as const
const KINDS = [
  'certificate.draft',
  'certificate.issue',
  'certificate.abandon',
  'certificate.condition',
  'certificate.extend-conditions',
  'certificate.lift-conditions',
  'certificate.suspend',
  'certificate.extend-suspension',
  'certificate.restore',
  'certificate.withdraw',
] as const

const anyStep = fc.record({
  kind: fc.constantFrom(...KINDS),
  subject: fc.constantFrom(...IDS),
  supersedes: fc.option(fc.constantFrom(...IDS)),
  isReduction: fc.boolean(),
  products: fc.option(fc.subarray(['Acme/Gate 7', 'Acme/Gate 7 Mini', 'Acme/Gate 9'], { minLength: 1 })),
  days: fc.integer({ min: -1, max: 50 }),
  pause: fc.nat(30),
  byVendor: fc.boolean(),
})
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never

function detailOf(people: DecidingPeople, step: Step): object {
  const reason = 'because'
  const until = people.now + step.days * DAY
  switch (step.kind) {
    case 'certificate.draft': {
      const { supersedes, isReduction, products } = step
      return certificate(people, {
        supersedes,
        isReduction,
        ...(products && { products: products.map((each, index) => certified(each, index === 0)) }),
      })
    }
    case 'certificate.suspend':
      return { reason, until, products: step.products }
    case 'certificate.condition':
    case 'certificate.extend-conditions':
    case 'certificate.extend-suspension':
      return { reason, until }
    default:
      return { reason }
  }
}

test('whatever is decided in whatever order, states follow the rules, and nothing is claimed that is not in force', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
      const people = await DecidingPeople.begin()
      await approveProfile(people, 1, 3)
      await issueCertificate(people)
      const { certificates } = people.log.register
      for (const step of steps) {
        people.days(step.pause)
        const before = new Map<string, Certificate>(certificates)
        const by = step.byVendor ? people.vendor : people.certifier
        const refused = await people.decide(by, step.kind, step.subject, detailOf(people, step)).then(
          () => false,
          (error: unknown) => error instanceof KeepsealError,
        )
        if (refused || step.byVendor) expect(certificates).toEqual(before)
        for (const [id, after] of certificates) {
          const was = before.get(id)
          if (was !== undefined && was.state !== after.state) expect(MAY_FOLLOW[was.state]).toContain(after.state)
          expect(after.suspendedSeconds).toBeLessThanOrEqual(365 * DAY)
          expect(after.suspension === null).toBe(after.state !== 'suspended')
          const reduced = after.isReduction ? certificates.get(after.supersedes ?? '') : undefined
          if (reduced !== undefined) expect(widened(reduced.products, after.products)).toEqual([])
          const { claimsAllowedFor } = standingOf(after, people.now)
          const listed = namesOf(after.products)
          const suspended = after.suspension?.products ?? (after.suspension === null ? [] : listed)
          for (const product of claimsAllowedFor) {
            expect(['valid', 'valid-with-conditions', 'suspended']).toContain(after.state)
            expect(listed).toContain(product)
            expect(suspended).not.toContain(product)
          }
        }
      }
      expect(readLog(people.entries, nodeCrypto).register).toEqual(people.log.register)
    }),
    { numRuns: 60 },
  )
})
