import * as fc from 'fast-check'
import type { Challenge } from '../../../shared/evidence/challenge.ts'
import type { Claims } from '../../../shared/evidence/claims.ts'
import type { ContentRequest, Receipt } from '../../../shared/evidence/down.ts'
import type { EpochMessage } from '../../../shared/evidence/epoch.ts'
import type { RestorePointMessage } from '../../../shared/evidence/restore-point.ts'
import { makeUeid, ueidBytes, type Ueid } from '../../../shared/evidence/identifiers.ts'
import type { SectionPart } from '../../../shared/evidence/section-part.ts'
import { STATE_LABELS, type StateScalar } from '../../../shared/evidence/state.ts'
import type { TpmEvidence } from '../../../shared/evidence/tpm-evidence.ts'
import { BANK_SIZE, type PcrBank } from '../../../shared/tpm/constants.ts'

/** Objects like those of the readers, which have a prototype. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>

/** Everything that the wire format allows, its bounds included. */

export const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const someBytes = (min: number, max: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: min, maxLength: max })

/** Sizes of texts are in bytes of UTF-8. The byte order mark at the beginning is nowhere allowed. */
const text = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: fc.constantFrom('a', '.', 'ä', '水', '𐅑', '\0', '\u202e', '"'), minLength: min, maxLength: max })
    .map((value) => {
      let cut = [...value]
      while (Buffer.byteLength(cut.join('')) > max) cut = cut.slice(0, -1)
      return cut.join('')
    })

const uint = fc.oneof(fc.nat(), fc.maxSafeNat())
const sequence = fc.oneof(fc.nat(100), fc.bigInt({ min: 0n, max: 1n << 48n }).map(Number), fc.constant(2 ** 48))

export const ueidArbitrary: fc.Arbitrary<Ueid> = bytes(16).map(makeUeid)

const sectionId = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/)
const scalar: fc.Arbitrary<StateScalar> = fc.oneof(fc.boolean(), fc.maxSafeInteger(), text(0, 256))

/** `ueid` is left to the caller, for whom it also has to be in the context of the signature. */
export const claimsArbitrary = (ueid: Ueid): fc.Arbitrary<Claims> =>
  record({
    issuedAt: uint,
    nonce: bytes(32),
    challenge: fc.option(bytes(32)),
    ueid: fc.constant(ueidBytes(ueid)),
    hardwareModel: fc.option(text(1, 32)),
    uptime: uint,
    bootCount: fc.option(uint),
    bootSeed: someBytes(16, 64),
    softwareName: text(1, 64),
    softwareVersion: text(1, 64),
    session: bytes(16),
    sequence,
    previous: fc.option(bytes(32)),
    postureDigest: bytes(32),
    posture: fc.option(
      fc
        .uniqueArray(fc.tuple(sectionId, bytes(32)), { minLength: 1, maxLength: 12, selector: ([id]) => id })
        .map((entries) => new Map(entries)),
    ),
    state: fc
      .uniqueArray(fc.tuple(fc.oneof(text(1, 32), fc.constantFrom(...STATE_LABELS.keys())), scalar), {
        maxLength: 32,
        selector: ([key]) => key,
      })
      .map((entries) => new Map(entries)),
  })

const bankValues = (bank: PcrBank): fc.Arbitrary<ReadonlyMap<number, Uint8Array>> =>
  fc
    .uniqueArray(fc.tuple(fc.nat(31), bytes(BANK_SIZE[bank])), { minLength: 1, maxLength: 8, selector: ([pcr]) => pcr })
    .map((entries) => new Map(entries))

const pcrs = fc
  .subarray(Object.keys(BANK_SIZE) as PcrBank[], { minLength: 1 })
  .chain((banks) => fc.tuple(...banks.map((bank) => bankValues(bank).map((values) => [bank, values] as const))))
  .map((entries) => new Map(entries))

export const tpmArbitrary: fc.Arbitrary<TpmEvidence> = record({
  attest: someBytes(1, 1024),
  signature: someBytes(1, 1024),
  pcrs: fc.option(pcrs),
  logs: record({
    firmware: fc.option(bytes(32)),
    ima: fc.option(record({ first: uint, entries: someBytes(1, 300) })),
  }),
})

export const receiptArbitrary: fc.Arbitrary<Receipt> = record({
  number: uint,
  sessions: fc.array(
    record({ session: bytes(16), contiguousTo: fc.oneof(fc.constant(-1), uint), extra: fc.array(uint) }),
  ),
  refused: fc.array(record({ hash: bytes(32), code: text(1, 64) })),
})

export const requestArbitrary: fc.Arbitrary<ContentRequest> = record({
  posture: fc.boolean(),
  pcrs: fc.boolean(),
  contents: fc.array(bytes(32)),
  ima: fc.option(uint),
})

export const challengeArbitrary: fc.Arbitrary<Challenge> = record({
  number: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  nonce: bytes(32),
  expiresAt: uint,
})

export const epochArbitrary: fc.Arbitrary<EpochMessage> = record({
  collectorId: bytes(16),
  number: uint,
  nonce: bytes(32),
  issuedAt: uint,
  period: fc.integer({ min: 1 }),
})

export const restorePointArbitrary: fc.Arbitrary<RestorePointMessage> = record({
  collectorId: bytes(16),
  number: fc.integer({ min: 1 }),
  restoredAt: uint,
  newestReceiptAt: fc.option(uint),
  firstEpoch: fc.integer({ min: 1 }),
})

export const partArbitrary: fc.Arbitrary<SectionPart> = fc
  .tuple(fc.integer({ min: 1, max: 140 }), fc.nat(139))
  .chain(([count, index]) =>
    record({
      digest: bytes(32),
      size: fc.integer({ min: 0, max: 8 * 1024 * 1024 }),
      encoding: fc.constantFrom(0, 1),
      index: fc.constant(index % count),
      count: fc.constant(count),
      part: someBytes(1, 300),
    }),
  )
