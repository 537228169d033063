import { describe, expect, it } from 'vitest'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import type { CborKey, CborValue } from '../../../shared/cbor/value.ts'
import { claimKey, claimsToCbor, evidenceProfile, oidOfUuid } from '../../../shared/evidence/claims.ts'
import { decodeClaims } from '../../../shared/evidence/decode-claims.ts'
import { decodeEvidence, encodeClaims } from '../../../shared/evidence/evidence.ts'
import { STATE_LABELS } from '../../../shared/evidence/state.ts'
import { signSign1 } from '../../../shared/cose/sign1.ts'
import { contentType, messageAad } from '../../../shared/evidence/roles.ts'
import * as sample from '../../support/messages.ts'
import { outcomeOf } from '../../support/outcome.ts'

const full = [...claimsToCbor(sample.fullClaims)]
const { filled } = sample
const decoding = (entries: readonly (readonly [CborKey, CborValue])[]) =>
  outcomeOf(() => decodeClaims(encodeCbor(new Map(entries))))
const with_ = (key: CborKey, value: CborValue) => decoding([...full.filter(([other]) => other !== key), [key, value]])
const without = (key: CborKey) => decoding(full.filter(([other]) => other !== key))
const map = (...entries: (readonly [CborKey, CborValue])[]): CborValue => new Map(entries)
const numbered = (count: number): [string, number][] => Array.from({ length: count }, (_, i) => [`k${i}`, i])

describe('a claims-set', () => {
  it('is read whole', () => {
    expect(decodeClaims(encodeClaims(sample.fullClaims))).toEqual(sample.fullClaims)
    expect(decoding(full)).toBeUndefined()
  })

  const optional: readonly CborKey[] = [claimKey.hardwareModel, claimKey.bootCount, claimKey.posture]
  it.each(Object.entries(claimKey).filter(([, key]) => !optional.includes(key)))('needs the claim %s', (_, key) => {
    expect(without(key)).toBe('claims.malformed')
  })

  it.each(optional)('does without the claim %s', (key) => {
    expect(without(key)).toBeUndefined()
  })

  it('takes what is at a bound', () => {
    expect(with_(claimKey.sequence, 2 ** 48)).toBeUndefined()
    expect(with_(claimKey.softwareName, 'ä'.repeat(32))).toBeUndefined()
    expect(with_(claimKey.state, map(...numbered(32)))).toBeUndefined()
    expect(with_(claimKey.state, map(['k'.repeat(32), 'v'.repeat(256)]))).toBeUndefined()
    expect(with_(claimKey.state, map())).toBeUndefined()
    expect(with_(claimKey.posture, map(['a'.repeat(32), filled(32, 1)]))).toBeUndefined()
  })
})

describe('a claims-set is refused for', () => {
  it.each<[string, CborKey, CborValue]>([
    ['an unknown claim', 1, 'issuer'],
    ['an unknown private claim', -70_007, 0],
    ['a claim by name', 'iat', 0],
    ['a negative time', claimKey.issuedAt, -1],
    ['a time as text', claimKey.issuedAt, '2026-01-01'],
    ['a time beyond 53 bits', claimKey.issuedAt, 1n << 60n],
    ['a short nonce', claimKey.nonce, filled(31, 1)],
    ['one nonce in a list', claimKey.nonce, [filled(32, 1)]],
    ['more nonces than two', claimKey.nonce, [filled(32, 1), filled(32, 2), filled(32, 3)]],
    ['a short nonce of a challenge', claimKey.nonce, [filled(32, 1), filled(31, 2)]],
    ['a ueid of another size', claimKey.ueid, filled(33, 1)],
    ['an empty hwmodel', claimKey.hardwareModel, filled(0, 0)],
    ['a long hwmodel', claimKey.hardwareModel, filled(33, 0x61)],
    ['a hwmodel that is not UTF-8', claimKey.hardwareModel, filled(4, 0xff)],
    ['a hwmodel as text', claimKey.hardwareModel, 'GW-1'],
    ['a hwmodel that is null', claimKey.hardwareModel, null],
    ['a negative uptime', claimKey.uptime, -1],
    ['a profile as text', claimKey.profile, 'https://example.org/profile'],
    ['a short boot seed', claimKey.bootSeed, filled(15, 1)],
    ['an empty software name', claimKey.softwareName, ''],
    ['a software name that is longer in bytes than in characters', claimKey.softwareName, 'ä'.repeat(33)],
    ['a software version outside an array', claimKey.softwareVersion, '1.0'],
    ['a software version with a scheme', claimKey.softwareVersion, ['1.0', 1]],
    ['a session id of another size', claimKey.session, filled(32, 1)],
    ['a negative sequence number', claimKey.sequence, -1],
    ['a sequence number beyond 2^48', claimKey.sequence, 2 ** 48 + 1],
    ['a previous hash of another size', claimKey.previous, filled(20, 1)],
    ['a posture digest of another size', claimKey.postureDigest, filled(20, 1)],
    ['an empty posture map', claimKey.posture, map()],
    ['a posture map as null', claimKey.posture, null],
    ['a section id in capitals', claimKey.posture, map(['Boot', filled(32, 1)])],
    ['a section id that is a path', claimKey.posture, map(['../boot', filled(32, 1)])],
    ['a section id with a line break', claimKey.posture, map(['boot\n', filled(32, 1)])],
    ['an empty section id', claimKey.posture, map(['', filled(32, 1)])],
    ['a long section id', claimKey.posture, map(['a'.repeat(33), filled(32, 1)])],
    ['a section id that is a number', claimKey.posture, map([1, filled(32, 1)])],
    ['a section digest of another size', claimKey.posture, map(['boot', filled(20, 1)])],
    ['too many sections', claimKey.posture, map(...numbered(65).map(([id]) => [id, filled(32, 1)] as const))],
    ['a state with 65 entries', claimKey.state, map(...numbered(65))],
    ['a state with an empty key', claimKey.state, map(['', 1])],
    ['a state with a long key', claimKey.state, map(['k'.repeat(33), 1])],
    ['a state with a key that is longer in bytes', claimKey.state, map(['ä'.repeat(17), 1])],
    ['a state with an unknown label', claimKey.state, map([STATE_LABELS.size + 1, 1])],
    ['a state with label 0', claimKey.state, map([0, 1])],
    ['a state with a labelled name as text', claimKey.state, map(['outbox.dropped', 1])],
    ['a state with one name spelt twice', claimKey.state, map([15, 1], ['agent.interval', 1])],
    ['a state with a long text', claimKey.state, map(['k', 'ä'.repeat(129)])],
    ['a state with bytes', claimKey.state, map(['k', filled(1, 1)])],
    ['a state with null', claimKey.state, map(['k', null])],
    ['a state with a list', claimKey.state, map(['k', [1]])],
    ['a state with an integer beyond 53 bits', claimKey.state, map(['k', 1n << 60n])],
    ['a state that is a list', claimKey.state, []],
  ])('%s', (_, key, value) => {
    expect(with_(key, value)).toBe('claims.malformed')
  })

  it('another profile', () => {
    const other = Uint8Array.from(evidenceProfile)
    other[3] = (other[3] as number) ^ 1
    expect(with_(claimKey.profile, other)).toBe('claims.profile-mismatch')
    expect(with_(claimKey.profile, evidenceProfile.subarray(0, -1))).toBe('claims.profile-mismatch')
  })

  it('being no map', () => {
    expect(outcomeOf(() => decodeClaims(encodeCbor([])))).toBe('claims.malformed')
    expect(outcomeOf(() => decodeClaims(new Uint8Array(0)))).toBe('cbor.truncated')
  })
})

/** Evidence under a true signature whose content is wrong: it is decoded before the signature is looked at. */
async function evidenceWith(payload: CborValue): Promise<Uint8Array> {
  const externalAad = messageAad('evidence', sample.ueid)
  const { signer } = sample.device
  return signSign1({ payload: encodeCbor(payload), contentType: contentType('evidence'), externalAad, signer })
}

describe('evidence is refused for', () => {
  const claims = encodeClaims(sample.steadyClaims)
  const some = filled(8, 1)
  const none = map()
  const rand = sample.steadyClaims.ueid
  it.each<[string, CborValue]>([
    ['no TPM part, and no null', [claims]],
    ['one part more', [claims, null, null]],
    ['claims that are no byte string', [claimsToCbor(sample.steadyClaims), null]],
    ['empty claims', [new Uint8Array(0), null]],
    ['a UEID of another type', [encodeClaims({ ...sample.steadyClaims, ueid: rand.with(0, 2) }), null]],
    ['a TPM part without logs', [claims, [some, some, null]]],
    ['an empty attest', [claims, [filled(0, 0), some, null, none]]],
    ['a long signature', [claims, [some, filled(1025, 1), null, none]]],
    ['PCR values of no bank', [claims, [some, some, none, none]]],
    ['an unknown bank', [claims, [some, some, map([0x7777, map([0, filled(32, 1)])]), none]]],
    ['a bank without values', [claims, [some, some, map([0x0b, none]), none]]],
    ['a PCR that there is not', [claims, [some, some, map([0x0b, map([32, filled(32, 1)])]), none]]],
    ['a negative PCR', [claims, [some, some, map([0x0b, map([-1, filled(32, 1)])]), none]]],
    ['a PCR value of another bank', [claims, [some, some, map([0x0b, map([0, filled(20, 1)])]), none]]],
    ['an unknown log', [claims, [some, some, null, map([3, filled(32, 1)])]]],
    ['a firmware log in place of its digest', [claims, [some, some, null, map([1, filled(100, 1)])]]],
    ['an IMA log without a beginning', [claims, [some, some, null, map([2, filled(32, 1)])]]],
    ['an IMA log without entries', [claims, [some, some, null, map([2, [0, filled(0, 0)]])]]],
    ['an IMA log from before its beginning', [claims, [some, some, null, map([2, [-1, filled(50, 1)]])]]],
  ])('%s', async (_, payload) => {
    const bytes = await evidenceWith(payload)
    expect(outcomeOf(() => decodeEvidence(bytes))).toMatch(/^claims\.malformed$|^cbor\.truncated$/)
  })
})

describe('the profile', () => {
  /** The arcs after the first two, which one octet holds (X.690 section 8.19). */
  const lastArc = (oid: Uint8Array): bigint =>
    oid.subarray(1).reduce((number, octet) => (number << 7n) | BigInt(octet & 0x7f), 0n)

  it('is the UUID as an arc, as in the example of ITU-T X.667', () => {
    const oid = oidOfUuid('f81d4fae7dec11d0a76500a0c91e6bf6')
    expect(oid[0]).toBe(105)
    expect(lastArc(oid)).toBe(329800735698586629295641978511506172918n)
    expect([...oid.subarray(1)].map((octet) => octet >> 7)).toEqual([...Array<number>(oid.length - 2).fill(1), 0])
  })

  it('of the smallest UUIDs has one octet for the arc', () => {
    expect(oidOfUuid('0'.repeat(32))).toEqual(Uint8Array.of(105, 0))
    expect(oidOfUuid(`${'0'.repeat(30)}80`)).toEqual(Uint8Array.of(105, 0x81, 0))
  })

  it('is the one that names this version of the format', () => {
    expect(lastArc(evidenceProfile).toString(16)).toBe('f3c1a0de5b8e4d0a9c576b6565707365')
  })
})
