import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64Url, utf8 } from '../../../shared/bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import { parseSign1, verifySign1 } from '../../../shared/cose/sign1.ts'
import { ed25519Key } from '../../../shared/crypto/node.ts'
import {
  EAR_DIALECTS,
  earToCbor,
  earToJson,
  signEarCwt,
  signEarJwt,
  type EarDialect,
  type ResultContent,
} from '../../../shared/result/ear.ts'
import { statusOf, TIER, tierOf, vectorOf, type Concluded } from '../../../shared/result/vector.ts'
import { makeUeid, ueidBytes } from '../../../shared/evidence/identifiers.ts'
import { ed25519Signer } from '../../support/node-signer.ts'

const UEID = makeUeid(new Uint8Array(16).fill(7))
const earToCborSorted = (dialect: EarDialect) => decodeCbor(encodeCbor(earToCbor(good, dialect)))
const CODES = Object.keys(findings) as FindingCode[]

const good: ResultContent = {
  ueid: UEID,
  nonce: new Uint8Array(32).fill(1),
  issuedAt: 1_781_234_567,
  expiresAt: 1_781_235_167,
  verifier: { developer: 'https://keepseal.example', build: 'keepseal-collector 0.1.0' },
  policies: ['rel_1'],
  identity: 'tpm-endorsed',
  bootCoverage: 'measured',
  verdict: 'affirming',
  verdictCode: null,
  isFresh: true,
  files: 'accepted',
  findings: [],
  latch: 'none',
  liveness: 'fresh',
  freshnessExtended: false,
  coverage: 'covered',
  certificate: 'crt_1',
}

const anyConcluded: fc.Arbitrary<Concluded> = fc
  .record({
    identity: fc.constantFrom('tpm-endorsed', 'tpm-tofu', 'software'),
    bootCoverage: fc.constantFrom('measured', 'partial', 'none'),
    isFresh: fc.boolean(),
    files: fc.constantFrom('accepted', 'refused', 'not-appraised', 'not-reported'),
    findings: fc.uniqueArray(fc.constantFrom(...CODES), { maxLength: 4 }),
    hasObstacle: fc.boolean(),
  })
  .map(({ hasObstacle, ...rest }): Concluded => {
    const integrity = rest.findings.find((code) => findings[code].axis === 'integrity')
    if (integrity !== undefined) return { ...rest, verdict: 'contraindicated', verdictCode: integrity }
    if (hasObstacle) return { ...rest, verdict: 'not-appraised', verdictCode: 'reference-values.missing' }
    const [first] = rest.findings
    return first === undefined
      ? { ...rest, verdict: 'affirming', verdictCode: null }
      : { ...rest, verdict: 'warning', verdictCode: first }
  })

const ORDER = ['affirming', 'none', 'warning', 'contraindicated']

describe('a status', () => {
  test('is never better than the verdict, than any claim, or than no fresh evidence', () => {
    fc.assert(
      fc.property(anyConcluded, (concluded) => {
        const vector = vectorOf(concluded)
        const status = statusOf(concluded, vector)
        for (const value of Object.values(vector)) {
          expect(ORDER.indexOf(status)).toBeGreaterThanOrEqual(ORDER.indexOf(tierOf(value)))
        }
        const isAffirmed = concluded.verdict === 'affirming' && concluded.isFresh
        if (status === 'affirming') expect(isAffirmed).toBe(true)
        if (concluded.verdict === 'contraindicated') expect(status).toBe('contraindicated')
        if (!concluded.isFresh) expect(Object.values(vector).map(tierOf)).not.toContain('affirming')
      }),
    )
  })

  test('affirms no executables of a boot that was not measured', () => {
    fc.assert(
      fc.property(anyConcluded, (concluded) => {
        const { executables = 0 } = vectorOf({ ...concluded, bootCoverage: 'partial' })
        expect(tierOf(executables)).not.toBe('affirming')
      }),
    )
  })

  // The table of tiers in draft-ietf-rats-ar4si section 2.3.2.
  test.each([
    [-128, 'contraindicated'],
    [-97, 'contraindicated'],
    [-96, 'warning'],
    [-33, 'warning'],
    [-32, 'affirming'],
    [-2, 'affirming'],
    [-1, 'none'],
    [0, 'none'],
    [1, 'none'],
    [2, 'affirming'],
    [31, 'affirming'],
    [32, 'warning'],
    [95, 'warning'],
    [96, 'contraindicated'],
    [127, 'contraindicated'],
  ] as const)('of a claim with the value %i is %s', (value, tier) => {
    expect(tierOf(value)).toBe(tier)
  })
})

describe('an EAR', () => {
  test('of a healthy device has the structure of the draft, in CBOR', () => {
    const ear = earToCbor(good, 'current')
    expect([...ear.keys()]).toEqual(expect.arrayContaining([265, 6, 4, 1004, 266, 10]))
    expect(ear.get(265)).toBe('tag:ietf.org,2026:rats/ear#04')
    expect(ear.get(1004)).toEqual(
      new Map([
        [0, 'https://keepseal.example'],
        [1, 'keepseal-collector 0.1.0'],
      ]),
    )
    const appraisal = (ear.get(266) as Map<string, Map<number, unknown>>).get('gateway')
    expect(appraisal?.get(1000)).toBe(2)
    expect(appraisal?.get(1001)).toEqual(new Map([0, 1, 2, 3, 4].map((label) => [label, 2])))
    expect(appraisal?.get(1003)).toEqual(['rel_1'])
    expect(appraisal?.get(1005)).toEqual(new Map([[256, ueidBytes(UEID)]]))
  })

  test('has the names of the draft in JSON, or the older ones that Veraison reads', () => {
    expect(earToJson(good, 'current')).toMatchObject({
      eat_profile: 'tag:ietf.org,2026:rats/ear#04',
      ear_verifier_id: good.verifier,
      submods: { gateway: { ear_status: 'affirming', ear_appraisal_policy_ids: ['rel_1'] } },
    })
    expect(earToJson(good, 'veraison')).toMatchObject({
      eat_profile: 'tag:github.com,2023:veraison/ear',
      'ear.verifier-id': good.verifier,
      submods: { gateway: { 'ear.status': 'affirming', 'ear.appraisal-policy-id': 'rel_1' } },
    })
  })

  test('of a forged quote says that its cryptographic validation failed', () => {
    const failed = { ...good, verdict: 'contraindicated', verdictCode: 'quote.signature-invalid' } as const
    const vector = vectorOf({ ...failed, findings: ['boot.quote-refused'] })
    expect(vector.executables).toBe(99)
    expect(statusOf(failed, vector)).toBe('contraindicated')
  })

  test('of a device without fresh evidence affirms nothing, and forgets no failure', () => {
    const silent = { ...good, isFresh: false }
    expect(statusOf(silent, vectorOf(silent))).toBe('none')
    const failed = { ...silent, verdict: 'contraindicated', verdictCode: 'boot.pcr-changed' } as const
    expect(statusOf(failed, vectorOf(failed))).toBe('contraindicated')
    expect(vectorOf(failed).executables).toBe(TIER.contraindicated)
  })

  test.each(EAR_DIALECTS)('is signed as a CWT and as a JWT that others can verify (%s)', async (dialect) => {
    const { signer, x } = ed25519Signer(new Uint8Array(32).fill(9))
    const key = ed25519Key(x)
    const cwt = await signEarCwt(good, dialect, signer)
    const { payload } = verifySign1(parseSign1(cwt), {
      key,
      keyId: signer.keyId,
      externalAad: new Uint8Array(0),
      contentType: 'application/eat+cwt',
    })
    expect(decodeCbor(payload)).toEqual(earToCborSorted(dialect))
    const [header = '', claims = '', signature = ''] = (await signEarJwt(good, dialect, signer)).split('.')
    expect(key.verify(utf8(`${header}.${claims}`), fromBase64Url(signature))).toBe(true)
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg: 'EdDSA' })
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual(earToJson(good, dialect))
  })
})
