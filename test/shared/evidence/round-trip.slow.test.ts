import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalConstantTime } from '../../../shared/crypto/node.ts'
import { createChallenge } from '../../../shared/evidence/challenge.ts'
import { createReceipt, createRequest, openDownMessage } from '../../../shared/evidence/down.ts'
import { openRestorePoint, signRestorePoint } from '../../../shared/evidence/restore-point.ts'
import { openEpoch, signEpoch } from '../../../shared/evidence/epoch.ts'
import { authenticateEvidence, decodeEvidence, encodeClaims, signEvidence } from '../../../shared/evidence/evidence.ts'
import { authenticateSectionPart, parseSectionMessage, signSectionPart } from '../../../shared/evidence/section-part.ts'
import * as sample from '../../support/messages.ts'
import {
  challengeArbitrary,
  claimsArbitrary,
  epochArbitrary,
  restorePointArbitrary,
  partArbitrary,
  receiptArbitrary,
  requestArbitrary,
  tpmArbitrary,
  ueidArbitrary,
} from './arbitrary.ts'

const { device, collector, receiptKey } = sample

describe('what was sent is what is read:', () => {
  it('evidence', async () => {
    const content = ueidArbitrary.chain((ueid) =>
      fc.record({ ueid: fc.constant(ueid), claims: claimsArbitrary(ueid), tpm: fc.option(tpmArbitrary) }),
    )
    await fc.assert(
      fc.asyncProperty(content, async ({ ueid, claims, tpm }) => {
        const claimsBytes = encodeClaims(claims)
        const bytes = await signEvidence({ ueid, claimsBytes, tpm }, device.signer)
        const evidence = authenticateEvidence(decodeEvidence(bytes), device.key)
        expect(evidence.ueid).toBe(ueid)
        expect(isDeepStrictEqual(evidence.claims, claims)).toBe(true)
        expect(isDeepStrictEqual(evidence.claimsBytes, claimsBytes)).toBe(true)
        expect(isDeepStrictEqual(evidence.tpm, tpm)).toBe(true)
        expect(evidence.bytes).toBe(bytes)
      }),
    )
  })

  it('a part of a section', () =>
    fc.assert(
      fc.asyncProperty(ueidArbitrary, partArbitrary, async (ueid, part) => {
        const bytes = await signSectionPart(ueid, part, device.signer)
        const read = authenticateSectionPart(parseSectionMessage(bytes), ueid, device.key)
        expect(isDeepStrictEqual(read, part)).toBe(true)
      }),
    ))

  it('a receipt', () =>
    fc.assert(
      fc.property(ueidArbitrary, receiptArbitrary, (ueid, receipt) => {
        const bytes = createReceipt(ueid, receipt, receiptKey)
        expect(openDownMessage(bytes, ueid, receiptKey, equalConstantTime)).toEqual({ role: 'receipt', receipt })
      }),
    ))

  it('a request', () =>
    fc.assert(
      fc.property(ueidArbitrary, requestArbitrary, (ueid, request) => {
        const bytes = createRequest(ueid, request, receiptKey)
        expect(openDownMessage(bytes, ueid, receiptKey, equalConstantTime)).toEqual({ role: 'request', request })
      }),
    ))

  it('a challenge', () =>
    fc.assert(
      fc.property(ueidArbitrary, challengeArbitrary, (ueid, challenge) => {
        const bytes = createChallenge(ueid, challenge, receiptKey)
        expect(openDownMessage(bytes, ueid, receiptKey, equalConstantTime)).toEqual({ role: 'challenge', challenge })
      }),
    ))

  it('an epoch', () =>
    fc.assert(
      fc.asyncProperty(epochArbitrary, async (epoch) => {
        expect(openEpoch(await signEpoch(epoch, collector.signer), collector.key)).toEqual(epoch)
      }),
    ))

  it('a restore point', () =>
    fc.assert(
      fc.asyncProperty(restorePointArbitrary, async (point) => {
        expect(openRestorePoint(await signRestorePoint(point, collector.signer), collector.key)).toEqual(point)
      }),
    ))
})

describe('an evidence in the steady state', () => {
  it('takes at most 800 bytes', async () => {
    const bytes = await sample.evidenceOf(sample.steadyClaims, sample.steadyTpm)
    expect(bytes.length).toBeLessThanOrEqual(800)
  })
})
