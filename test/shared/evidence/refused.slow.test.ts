import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import { createMac0 } from '../../../shared/cose/mac0.ts'
import { signSign1 } from '../../../shared/cose/sign1.ts'
import { equalConstantTime } from '../../../shared/crypto/node.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { createChallenge } from '../../../shared/evidence/challenge.ts'
import { createReceipt, createRequest, openDownMessage } from '../../../shared/evidence/down.ts'
import { openEpoch, signEpoch } from '../../../shared/evidence/epoch.ts'
import { authenticateEvidence, decodeEvidence, encodeClaims, signEvidence } from '../../../shared/evidence/evidence.ts'
import { ueidBytes } from '../../../shared/evidence/identifiers.ts'
import { openRestorePoint, signRestorePoint } from '../../../shared/evidence/restore-point.ts'
import { contentType, messageAad, type MessageRole } from '../../../shared/evidence/roles.ts'
import { authenticateSectionPart, parseSectionMessage, signSectionPart } from '../../../shared/evidence/section-part.ts'
import * as sample from '../../support/messages.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { cborLikeBytes, cborValue } from '../cbor/arbitrary.ts'
import { flippedBits } from './bits.ts'

const { device, otherDevice, collector, ueid, otherUeid, receiptKey } = sample

const readEvidence = (bytes: Uint8Array, by = device.key) => authenticateEvidence(decodeEvidence(bytes), by)
const readPart = (bytes: Uint8Array, of = ueid, by = device.key) =>
  authenticateSectionPart(parseSectionMessage(bytes), of, by)
const readDown = (bytes: Uint8Array, to = ueid, key = receiptKey) => openDownMessage(bytes, to, key, equalConstantTime)
const readEpoch = (bytes: Uint8Array, by = collector.key) => openEpoch(bytes, by)
const readRestorePoint = (bytes: Uint8Array, by = collector.key) => openRestorePoint(bytes, by)

const evidence = await sample.evidenceOf(sample.steadyClaims, sample.steadyTpm)
const part = await signSectionPart(ueid, sample.sectionPart, device.signer)
const receipt = createReceipt(ueid, sample.receipt, receiptKey)
const challenge = createChallenge(ueid, sample.challenge, receiptKey)
const request = createRequest(ueid, { posture: true, pcrs: false, contents: [], ima: null }, receiptKey)
const epoch = await signEpoch(sample.epoch, collector.signer)
const restorePoint = await signRestorePoint(sample.restorePoint, collector.signer)

/** Of the collector, for everybody. */
const isBroadcast = (role: MessageRole): boolean => role === 'epoch' || role === 'restore-point'

/** A payload under a true signature or code of this device or collector, for the role that it says. */
const signed = (role: MessageRole, payload: Uint8Array, type = contentType(role)): Promise<Uint8Array> =>
  signSign1({
    payload,
    contentType: type,
    externalAad: messageAad(role, isBroadcast(role) ? null : ueid),
    signer: isBroadcast(role) ? collector.signer : device.signer,
  })
const authenticated = (role: MessageRole, payload: Uint8Array, type = contentType(role)): Uint8Array =>
  createMac0({ payload, contentType: type, externalAad: messageAad(role, ueid), key: receiptKey })

describe('evidence is refused', () => {
  it('under the key of another device', () => {
    expect(outcomeOf(() => readEvidence(evidence))).toBeUndefined()
    expect(outcomeOf(() => readEvidence(evidence, otherDevice.key))).toBe('cose.key-id-mismatch')
    const renamed = { ...otherDevice.key, thumbprint: device.key.thumbprint }
    expect(outcomeOf(() => readEvidence(evidence, renamed))).toBe('cose.signature-invalid')
  })

  it('when a device signs it in the name of another', async () => {
    const claimsBytes = encodeClaims({ ...sample.steadyClaims, ueid: ueidBytes(otherUeid) })
    const foreign = await signEvidence({ ueid, claimsBytes, tpm: null }, device.signer)
    expect(outcomeOf(() => readEvidence(foreign))).toBe('cose.signature-invalid')
  })

  it.each(['section', 'epoch', 'receipt'] as const)('when its device signed it as %s', async (role) => {
    const payload = encodeCbor([encodeClaims(sample.steadyClaims), null])
    const externalAad = messageAad(role, ueid)
    const message = { payload, externalAad, signer: device.signer }
    const relabelled = await signSign1({ ...message, contentType: contentType('evidence') })
    expect(outcomeOf(() => readEvidence(relabelled))).toBe('cose.signature-invalid')
    const honest = await signSign1({ ...message, contentType: contentType(role) })
    expect(outcomeOf(() => readEvidence(honest))).toBe('cose.content-type')
  })

  it('with any single bit flipped', { timeout: 30_000 }, () => {
    for (const [bit, flipped] of flippedBits(evidence)) {
      expect(
        outcomeOf(() => readEvidence(flipped)),
        `bit ${bit}`,
      ).toBeDefined()
    }
  })
})

describe('a part of a section is refused', () => {
  it('of another device, and for another device', () => {
    expect(outcomeOf(() => readPart(part))).toBeUndefined()
    expect(outcomeOf(() => readPart(part, otherUeid))).toBe('cose.signature-invalid')
    expect(outcomeOf(() => readPart(part, ueid, otherDevice.key))).toBe('cose.key-id-mismatch')
  })

  it('when it is evidence', () => {
    expect(outcomeOf(() => readPart(evidence))).toBe('cose.content-type')
  })

  it.each([
    ['a digest of another size', { digest: sample.filled(20, 1) }],
    ['more content than is allowed', { size: 8 * 1024 * 1024 + 1 }],
    ['a negative size', { size: -1 }],
    ['an unknown encoding', { encoding: 2 as 1 }],
    ['an index beyond the count', { index: 1, count: 1 }],
    ['no parts at all', { count: 0 }],
    ['more parts than the largest content has', { count: 141 }],
    ['an empty part', { part: new Uint8Array(0) }],
    ['a part larger than is allowed', { part: new Uint8Array(60_001) }],
  ])('with %s', async (_, change) => {
    const bytes = await signSectionPart(ueid, { ...sample.sectionPart, ...change }, device.signer)
    expect(outcomeOf(() => readPart(bytes))).toBe('section.malformed')
  })

  it('with any single bit flipped', { timeout: 30_000 }, () => {
    for (const [bit, flipped] of flippedBits(part)) {
      expect(
        outcomeOf(() => readPart(flipped)),
        `bit ${bit}`,
      ).toBeDefined()
    }
  })
})

describe('a message down is refused', () => {
  it('that is for another device, even under the same key', () => {
    expect(outcomeOf(() => readDown(receipt))).toBeUndefined()
    expect(outcomeOf(() => readDown(receipt, otherUeid))).toBe('cose.mac-invalid')
    expect(outcomeOf(() => readDown(request, otherUeid))).toBe('cose.mac-invalid')
    expect(outcomeOf(() => readDown(challenge))).toBeUndefined()
    expect(outcomeOf(() => readDown(challenge, otherUeid))).toBe('cose.mac-invalid')
  })

  it('under another key', () => {
    const secret = sample.filled(32, 10)
    expect(outcomeOf(() => readDown(receipt, ueid, { ...receiptKey, secret }))).toBe('cose.mac-invalid')
    const keyId = otherDevice.key.thumbprint
    expect(outcomeOf(() => readDown(receipt, ueid, { ...receiptKey, keyId }))).toBe('cose.key-id-mismatch')
  })

  it('when a receipt says that it is a request, or the other way round', () => {
    const payload = encodeCbor([ueidBytes(ueid), true, true, []])
    expect(outcomeOf(() => readDown(authenticated('receipt', payload, contentType('request'))))).toBe(
      'cose.mac-invalid',
    )
    expect(outcomeOf(() => readDown(authenticated('request', payload, contentType('receipt'))))).toBe(
      'cose.mac-invalid',
    )
  })

  it('when a challenge says that it is something else, or something else that it is one', () => {
    const payload = encodeCbor([1, ueidBytes(ueid), sample.filled(32, 1), 2_000_000_000])
    for (const role of ['receipt', 'request'] as const) {
      const inDisguise = authenticated('challenge', payload, contentType(role))
      expect(outcomeOf(() => readDown(inDisguise))).toBe('cose.mac-invalid')
      expect(outcomeOf(() => readDown(authenticated(role, payload, contentType('challenge'))))).toBe('cose.mac-invalid')
    }
  })

  it('of a kind that does not go down', () => {
    const payload = encodeCbor([ueidBytes(ueid), true, true, []])
    expect(outcomeOf(() => readDown(authenticated('evidence', payload)))).toBe('cose.content-type')
    expect(outcomeOf(() => readDown(evidence))).toBe('cose.wrong-tag')
  })

  const other = ueidBytes(otherUeid)
  const own = ueidBytes(ueid)
  const hash = sample.filled(32, 1)
  const session = sample.filled(16, 1)
  it.each([
    ['a receipt that names another device inside', 'receipt', [1, other, [], []]],
    ['a receipt with a negative number', 'receipt', [-1, own, [], []]],
    ['a receipt with a session id of another size', 'receipt', [1, own, [[hash, 1, []]], []]],
    ['a receipt that holds less than nothing', 'receipt', [1, own, [[session, -2, []]], []]],
    ['a receipt with a negative extra number', 'receipt', [1, own, [[session, 1, [-1]]], []]],
    ['a receipt that refuses without a code', 'receipt', [1, own, [], [[hash, '']]]],
    ['a receipt that refuses by a short hash', 'receipt', [1, own, [], [[session, 'link.fork']]]],
    ['a receipt with one item more', 'receipt', [1, own, [], [], null]],
    ['a receipt with too long a list', 'receipt', [1, own, [[session, 1, Array.from({ length: 1025 }, () => 9)]], []]],
    ['a request that names another device inside', 'request', [other, true, true, []]],
    ['a request with a number for a boolean', 'request', [own, 1, true, []]],
    ['a request for a digest of another size', 'request', [own, true, true, [session]]],
    ['a challenge that names another device inside', 'challenge', [1, other, hash, 2_000_000_000]],
    ['a challenge without a number', 'challenge', [0, own, hash, 2_000_000_000]],
    ['a challenge with a short nonce', 'challenge', [1, own, session, 2_000_000_000]],
    ['a challenge that never ends', 'challenge', [1, own, hash, null]],
  ] as const)('%s', (_, role, payload) => {
    expect(outcomeOf(() => readDown(authenticated(role, encodeCbor(payload))))).toBe('claims.malformed')
  })

  it.each([
    ['receipt', receipt],
    ['request', request],
    ['challenge', challenge],
  ])('with any single bit flipped: %s', (_, message) => {
    for (const [bit, flipped] of flippedBits(message)) {
      expect(
        outcomeOf(() => readDown(flipped)),
        `bit ${bit}`,
      ).toBeDefined()
    }
  })
})

describe('an epoch is refused', () => {
  it('by another key', async () => {
    expect(outcomeOf(() => readEpoch(epoch))).toBeUndefined()
    expect(outcomeOf(() => readEpoch(epoch, otherDevice.key))).toBe('cose.key-id-mismatch')
    const impostor = { ...otherDevice.signer, keyId: collector.signer.keyId }
    expect(outcomeOf(() => readEpoch(Uint8Array.of()))).toBe('cbor.truncated')
    const forged = await signEpoch(sample.epoch, impostor)
    expect(outcomeOf(() => readEpoch(forged))).toBe('cose.signature-invalid')
  })

  it('that was signed for one device', async () => {
    const { collectorId, number, nonce, issuedAt, period } = sample.epoch
    const bytes = await signSign1({
      payload: encodeCbor([collectorId, number, nonce, issuedAt, period]),
      contentType: contentType('epoch'),
      externalAad: messageAad('epoch', ueid),
      signer: collector.signer,
    })
    expect(outcomeOf(() => readEpoch(bytes))).toBe('cose.signature-invalid')
  })

  it.each([
    ['with a collector id of another size', { collectorId: sample.filled(17, 1) }],
    ['with a nonce of another size', { nonce: sample.filled(16, 1) }],
    ['with a negative number', { number: -1 }],
    ['of before 1970', { issuedAt: -1 }],
    ['that lasts no time', { period: 0 }],
  ])('%s', async (_, change) => {
    const bytes = await signEpoch({ ...sample.epoch, ...change }, collector.signer)
    expect(outcomeOf(() => readEpoch(bytes))).toBe('claims.malformed')
  })

  it('with any single bit flipped', { timeout: 30_000 }, () => {
    for (const [bit, flipped] of flippedBits(epoch)) {
      expect(
        outcomeOf(() => readEpoch(flipped)),
        `bit ${bit}`,
      ).toBeDefined()
    }
  })
})

describe('a restore point is refused', () => {
  it('that another key than the pinned one signed', async () => {
    expect(outcomeOf(() => readRestorePoint(restorePoint))).toBeUndefined()
    expect(outcomeOf(() => readRestorePoint(restorePoint, otherDevice.key))).toBe('cose.key-id-mismatch')
    const impostor = { ...otherDevice.signer, keyId: collector.signer.keyId }
    const forged = await signRestorePoint(sample.restorePoint, impostor)
    expect(outcomeOf(() => readRestorePoint(forged))).toBe('cose.signature-invalid')
  })

  it('that was signed as an epoch, or for one device', async () => {
    const { collectorId, number, restoredAt, newestReceiptAt, firstEpoch } = sample.restorePoint
    const payload = encodeCbor([collectorId, number, restoredAt, newestReceiptAt, firstEpoch])
    for (const externalAad of [messageAad('epoch', null), messageAad('restore-point', ueid)]) {
      const message = { payload, externalAad, signer: collector.signer }
      const bytes = await signSign1({ ...message, contentType: contentType('restore-point') })
      expect(outcomeOf(() => readRestorePoint(bytes))).toBe('cose.signature-invalid')
    }
    expect(outcomeOf(() => readRestorePoint(epoch))).toBe('cose.content-type')
  })

  it.each([
    ['with a collector id of another size', { collectorId: sample.filled(17, 1) }],
    ['without a number', { number: 0 }],
    ['of before 1970', { restoredAt: -1 }],
    ['with a receipt of before 1970', { newestReceiptAt: -1 }],
    ['with no epoch to follow', { firstEpoch: 0 }],
  ])('%s', async (_, change) => {
    const bytes = await signRestorePoint({ ...sample.restorePoint, ...change }, collector.signer)
    expect(outcomeOf(() => readRestorePoint(bytes))).toBe('claims.malformed')
  })

  it('with any single bit flipped', { timeout: 30_000 }, () => {
    for (const [bit, flipped] of flippedBits(restorePoint)) {
      expect(
        outcomeOf(() => readRestorePoint(flipped)),
        `bit ${bit}`,
      ).toBeDefined()
    }
  })
})

describe('no bytes do more than be refused:', () => {
  /** True if `read` ends well or with an outcome. Anything else is a crash that a device could cause. */
  const holds = (read: () => unknown): boolean => {
    try {
      read()
      return true
    } catch (error) {
      return error instanceof OutcomeError
    }
  }
  const readers: readonly ((bytes: Uint8Array) => unknown)[] = [
    readEvidence,
    readPart,
    readDown,
    readEpoch,
    readRestorePoint,
  ]
  const messages = [evidence, part, receipt, request, epoch, restorePoint]
  /** A message with some bytes of it exchanged for others. */
  const damaged = fc
    .tuple(fc.constantFrom(...messages), fc.nat(900), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    .map(([message, at, removed, inserted]) =>
      Uint8Array.from([...message.subarray(0, at), ...inserted, ...message.subarray(at + removed)]),
    )

  it('arbitrary and damaged ones', () => {
    fc.assert(
      fc.property(fc.oneof(cborLikeBytes, cborValue.map(encodeCbor), damaged), (bytes) =>
        readers.every((read) => holds(() => read(bytes))),
      ),
      { numRuns: 500 },
    )
  })

  it('an arbitrary payload under a true signature or code', async () => {
    const claims = fc.tuple(fc.oneof(cborLikeBytes, cborValue.map(encodeCbor)), cborValue).map(encodeCbor)
    const payload = fc.oneof(cborLikeBytes, cborValue.map(encodeCbor), claims)
    await fc.assert(
      fc.asyncProperty(payload, async (bytes) => {
        const [asEvidence, asPart, asEpoch, asRestorePoint] = await Promise.all([
          signed('evidence', bytes),
          signed('section', bytes),
          signed('epoch', bytes),
          signed('restore-point', bytes),
        ])
        expect(holds(() => readEvidence(asEvidence))).toBe(true)
        expect(holds(() => readPart(asPart))).toBe(true)
        expect(holds(() => readEpoch(asEpoch))).toBe(true)
        expect(holds(() => readRestorePoint(asRestorePoint))).toBe(true)
        expect(holds(() => readDown(authenticated('receipt', bytes)))).toBe(true)
        expect(holds(() => readDown(authenticated('request', bytes)))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
