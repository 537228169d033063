import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import { CborTag, type CborKey, type CborValue } from '../../../shared/cbor/value.ts'
import { signSign1 } from '../../../shared/cose/sign1.ts'
import { ENROLMENT_PROOF_TYPE, enrolmentProofAad } from '../../../shared/evidence/binding.ts'
import { createChallenge } from '../../../shared/evidence/challenge.ts'
import { createReceipt, createRequest } from '../../../shared/evidence/down.ts'
import { signEpoch } from '../../../shared/evidence/epoch.ts'
import { encodeClaims, signEvidence } from '../../../shared/evidence/evidence.ts'
import { signRestorePoint } from '../../../shared/evidence/restore-point.ts'
import { encodeKeyHistory } from '../../../shared/evidence/key-history.ts'
import { encodeSuccession, signSuccessor } from '../../../shared/evidence/succession.ts'
import { signSectionPart } from '../../../shared/evidence/section-part.ts'
import { loadCddl, wireFormatText } from '../../support/cddl.ts'
import * as sample from '../../support/messages.ts'
import { resultMessage } from '../../support/result-message.ts'
import {
  challengeArbitrary,
  claimsArbitrary,
  epochArbitrary,
  partArbitrary,
  receiptArbitrary,
  requestArbitrary,
  restorePointArbitrary,
  tpmArbitrary,
} from './arbitrary.ts'

const { device, collector, ueid, receiptKey } = sample
const format = loadCddl(wireFormatText())

const enrolmentProof = signSign1({
  payload: sample.filled(32, 0x91),
  contentType: ENROLMENT_PROOF_TYPE,
  externalAad: enrolmentProofAad(),
  signer: device.signer,
})

const statement = await signSuccessor(sample.successor, collector.signer)
const history = encodeKeyHistory({
  first: sample.filled(32, 7),
  statements: Array.from({ length: 10 }, () => statement),
})

/** Every kind of message, by the rule that it follows. */
const MESSAGES: readonly [title: string, rule: string, bytes: Uint8Array][] = [
  ['evidence without a TPM', 'evidence', await sample.evidenceOf(sample.steadyClaims, null)],
  ['evidence in the steady state', 'evidence', await sample.evidenceOf(sample.steadyClaims, sample.steadyTpm)],
  ['evidence with everything', 'evidence', await sample.evidenceOf(sample.fullClaims, sample.fullTpm)],
  ['a part of a section', 'section', await signSectionPart(ueid, sample.sectionPart, device.signer)],
  ['a receipt', 'receipt', createReceipt(ueid, sample.receipt, receiptKey)],
  [
    'a request',
    'request',
    createRequest(ueid, { posture: true, pcrs: false, contents: [sample.filled(32, 1)], ima: 7 }, receiptKey),
  ],
  [
    'evidence that answers a challenge',
    'evidence',
    await sample.evidenceOf({ ...sample.steadyClaims, challenge: sample.filled(32, 0x15) }, sample.steadyTpm),
  ],
  ['a challenge', 'challenge', createChallenge(ueid, sample.challenge, receiptKey)],
  ['a result', 'result', await resultMessage()],
  ['an epoch', 'epoch', await signEpoch(sample.epoch, collector.signer)],
  ['a restore point', 'restore-point', await signRestorePoint(sample.restorePoint, collector.signer)],
  ['a succession', 'succession', encodeSuccession(Array.from({ length: 10 }, () => statement))],
  ['a history of keys', 'key-history', history],
  ['a proof of enrolment', 'enrolment-proof', await enrolmentProof],
]

/** Longer than any text of the format, so that it fits in no place at all. */
const WRONG = 'x'.repeat(300)

/** The map or array inside a byte string, or undefined for one that is only bytes. */
function embeddedIn(value: CborValue): CborValue | undefined {
  if (!(value instanceof Uint8Array)) return undefined
  try {
    const inside = decodeCbor(value)
    return inside instanceof Map || Array.isArray(inside) ? inside : undefined
  } catch {
    return undefined
  }
}

/** Every value that differs from `value` in one place: an item replaced, a list longer, a map with one more entry. */
function* mutations(value: CborValue, path: string): Generator<readonly [path: string, value: CborValue]> {
  yield [path, WRONG]
  const inside = embeddedIn(value)
  if (inside !== undefined) for (const [at, item] of mutations(inside, `${path}<>`)) yield [at, encodeCbor(item)]
  else if (value instanceof CborTag) {
    yield [`${path} untagged`, value.value]
    for (const [at, item] of mutations(value.value, path)) yield [at, new CborTag(value.tag, item)]
  } else if (value instanceof Map) {
    const map = value as ReadonlyMap<CborKey, CborValue>
    yield [`${path} with one entry more`, new Map([...map, [12_345, WRONG]])]
    for (const [key, entry] of map) {
      for (const [at, item] of mutations(entry, `${path}.${key}`)) yield [at, new Map([...map, [key, item]])]
    }
  } else if (Array.isArray(value)) {
    const items = value as readonly CborValue[]
    yield [`${path} with one item more`, [...items, WRONG]]
    for (const [i, entry] of items.entries()) {
      for (const [at, item] of mutations(entry, `${path}.${i}`)) yield [at, items.with(i, item)]
    }
  }
}

describe('the wire format', () => {
  it('has no rule that no message leads to', () => {
    expect([...format.reachable('keepseal-message')].sort()).toEqual([...format.names].sort())
  })

  it.each(MESSAGES)('describes %s', (_title, rule, bytes) => {
    expect(format.check(rule, bytes)).toBeUndefined()
    expect(format.check('keepseal-message', bytes)).toBeUndefined()
  })

  it.each(MESSAGES)('tells %s from every other kind', (_title, rule, bytes) => {
    for (const other of new Set(MESSAGES.map(([, name]) => name))) {
      if (other !== rule) expect(format.check(other, bytes), other).toBeDefined()
    }
  })

  it.each(MESSAGES)('does not describe %s with anything in it exchanged', (_title, rule, bytes) => {
    let count = 0
    for (const [path, mutated] of mutations(decodeCbor(bytes), rule)) {
      expect(format.check(rule, encodeCbor(mutated)), path).toBeDefined()
      count++
    }
    expect(count).toBeGreaterThan(10)
  })

  it('describes each statement of a succession, and none with anything in it exchanged', () => {
    expect(format.check('successor', statement)).toBeUndefined()
    for (const [path, mutated] of mutations(decodeCbor(statement), 'successor')) {
      expect(format.check('successor', encodeCbor(mutated)), path).toBeDefined()
    }
  })

  it('does not describe claims without one of those that every evidence has', () => {
    const claims = decodeCbor(encodeClaims(sample.steadyClaims)) as ReadonlyMap<CborKey, CborValue>
    const optional = [259, 267, -70_005]
    for (const key of claims.keys()) {
      const without = encodeCbor(new Map([...claims].filter(([other]) => other !== key)))
      if (optional.includes(key as number)) expect(format.check('claims-set', without), `${key}`).toBeUndefined()
      else expect(format.check('claims-set', without), `${key}`).toBeDefined()
    }
  })
})

describe('whatever the functions make is described:', () => {
  const described = async (rule: string, bytes: Uint8Array | Promise<Uint8Array>): Promise<void> => {
    expect(format.check(rule, await bytes)).toBeUndefined()
  }

  it('evidence', () =>
    fc.assert(
      fc.asyncProperty(claimsArbitrary(ueid), fc.option(tpmArbitrary), (claims, tpm) =>
        described('evidence', signEvidence({ ueid, claimsBytes: encodeClaims(claims), tpm }, device.signer)),
      ),
    ))

  it('parts of sections', () =>
    fc.assert(
      fc.asyncProperty(partArbitrary, (part) => described('section', signSectionPart(ueid, part, device.signer))),
    ))

  it('receipts', () =>
    fc.assert(fc.asyncProperty(receiptArbitrary, (it) => described('receipt', createReceipt(ueid, it, receiptKey)))))

  it('requests', () =>
    fc.assert(fc.asyncProperty(requestArbitrary, (it) => described('request', createRequest(ueid, it, receiptKey)))))

  it('challenges', () =>
    fc.assert(
      fc.asyncProperty(challengeArbitrary, (it) => described('challenge', createChallenge(ueid, it, receiptKey))),
    ))

  it('epochs', () =>
    fc.assert(fc.asyncProperty(epochArbitrary, (it) => described('epoch', signEpoch(it, collector.signer)))))

  it('restore points', () =>
    fc.assert(
      fc.asyncProperty(restorePointArbitrary, (it) =>
        described('restore-point', signRestorePoint(it, collector.signer)),
      ),
    ))
})
