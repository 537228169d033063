import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { decodeCertificateFile, encodeCertificateFile, excerptOf } from '../../../shared/certificate/file.ts'
import { verifyCertificate, type VerifyOptions } from '../../../shared/certificate/verify.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { DecisionLog } from '../../../shared/decisions/log.ts'
import { digestOfProfile, encodeProfile } from '../../../shared/maturity/profile-encoding.ts'
import { certificateFile, COLLECTOR_ID, statusOf } from '../../support/certificate-file.ts'
import {
  approveProfile,
  certified,
  DAY,
  DecidingPeople,
  digestOf,
  issueCertificate,
  profile,
} from '../../support/decision-log.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import * as v from 'valibot'
import { ProfileDocument } from '../../../shared/maturity/profile.ts'
import { writtenProfile } from '../../support/profile.ts'

async function inForce(): Promise<DecidingPeople> {
  const people = await DecidingPeople.begin()
  await approveProfile(people, 1, 3)
  await issueCertificate(people)
  return people
}

let people: DecidingPeople
let file: Uint8Array
beforeAll(async () => {
  people = await inForce()
  file = await certificateFile(people)
})

const verify = (bytes: Uint8Array, over: Partial<VerifyOptions> = {}) =>
  verifyCertificate(bytes, nodeCrypto, { now: people.now, ...over })
const codesOf = (bytes: Uint8Array, over: Partial<VerifyOptions> = {}) =>
  verify(bytes, over).problems.map(({ code }) => code)

describe('a certificate file', () => {
  test('says without network what is certified, for which profile, and as of when', () => {
    const keys = { certifier: toHex(people.certifier.signer.keyId), collector: COLLECTOR_ID }
    expect(verify(file, keys)).toMatchObject({
      verdict: 'valid',
      problems: [],
      profile: 'missing',
      issuedBy: { name: 'Ada' },
      claimsAllowedFor: ['Acme/Gate 7', 'Acme/Gate 7 Mini'],
      asOf: people.now,
    })
  })

  test('is not believed after the status in it has expired', () => {
    expect(verify(file, { now: people.now + DAY - 1 }).verdict).toBe('valid')
    const after = verify(file, { now: people.now + DAY })
    expect(after).toMatchObject({ verdict: 'unknown', claimsAllowedFor: [] })
  })

  test('has expired by its own dates, offline too, before any status is asked', () => {
    expect(verify(file, { now: people.now + 1000 * DAY })).toMatchObject({ verdict: 'expired', claimsAllowedFor: [] })
  })

  test('does not read with a clock that runs backwards', () => {
    expect(codesOf(file, { now: people.now - 301 })).toEqual(['certificate.status-invalid'])
    expect(verify(file, { now: people.now - 300 }).problems).toEqual([])
  })

  test('of another certifier or collector is refused', () => {
    expect(codesOf(file, { certifier: 'ab'.repeat(32) })).toEqual(['log.unknown-author'])
    expect(codesOf(file, { collector: 'ab'.repeat(32) })).toEqual(['certificate.status-invalid'])
  })

  test('takes a newer status, which says what was decided since', async () => {
    const later = await inForce()
    const old = await certificateFile(later)
    later.days(2)
    const suspend = { reason: 'a hole', until: later.now + DAY, products: ['Acme/Gate 7'] }
    await later.decide(later.certifier, 'certificate.suspend', 'crt_1', suspend)
    const now = later.now
    expect(verifyCertificate(old, nodeCrypto, { now, status: await statusOf(later) })).toMatchObject({
      verdict: 'suspended',
      claimsAllowedFor: ['Acme/Gate 7 Mini'],
    })
    await later.decide(later.certifier, 'certificate.withdraw', 'crt_1', { reason: 'a larger hole' })
    const withdrawn = await statusOf(later)
    expect(verifyCertificate(old, nodeCrypto, { now, status: withdrawn }).verdict).toBe('withdrawn')
    // Withdrawn stays so, however old the status that says it.
    expect(verifyCertificate(old, nodeCrypto, { now: now + 99 * DAY, status: withdrawn }).verdict).toBe('withdrawn')
    // An older status in place of the newer one is told by the log that the file holds.
    const fresh = decodeCertificateFile(await certificateFile(later))
    const { status } = decodeCertificateFile(old)
    const rolledBack = encodeCertificateFile({ ...fresh, status, head: decodeCertificateFile(old).head })
    expect(verifyCertificate(rolledBack, nodeCrypto, { now }).problems).toMatchObject([
      { code: 'certificate.status-invalid' },
    ])
  })

  test('whose status another key has signed is refused', async () => {
    const status = await statusOf(people, 'crt_1', ed25519Signer(new Uint8Array(32).fill(9)).signer)
    expect(codesOf(file, { status })).toEqual(['certificate.status-invalid'])
  })

  test('with the status of another certificate is refused', async () => {
    const both = await inForce()
    await issueCertificate(both, 'crt_2', { number: 'KS-2' })
    const bytes = await certificateFile(both)
    const status = await statusOf(both, 'crt_2')
    expect(verifyCertificate(bytes, nodeCrypto, { now: both.now, status }).problems).toMatchObject([
      { code: 'certificate.status-invalid' },
    ])
  })

  test.each([
    ['replayed', (entries: readonly Uint8Array[]) => [...entries, ...entries.slice(-1)]],
    ['reordered', (entries: readonly Uint8Array[]) => [...entries.slice(0, -2), ...entries.slice(-2).reverse()]],
    ['without its beginning', (entries: readonly Uint8Array[]) => entries.slice(1)],
  ])('with decisions %s is refused, and names the entry', (_, change) => {
    const content = decodeCertificateFile(file)
    const { verdict, problems } = verify(encodeCertificateFile({ ...content, entries: change(content.entries) }))
    expect(verdict).toBe('invalid')
    expect(problems).toMatchObject([
      {
        code: expect.stringMatching(/^(log\.broken-link|decision\.no-such-subject)$/),
        detail: expect.stringMatching(/entry \d+ of the file/),
      },
    ])
  })

  test('with any bit changed never reads as good as before', () => {
    const before = verify(file)
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (position, bit) => {
        const changed = Uint8Array.from(file)
        const at = position % changed.length
        changed[at] = (changed[at] as number) ^ (1 << bit)
        expect(verify(changed)).not.toEqual(before)
        expect(verify(changed).verdict).toBe('invalid')
      }),
      { numRuns: 400 },
    )
  })

  test('that is something else is refused with the place', () => {
    expect(verify(new Uint8Array([1, 2, 3])).problems).toMatchObject([{ code: 'certificate.file-invalid' }])
    expect(verify(new Uint8Array()).verdict).toBe('invalid')
  })
})

describe('the profile in a certificate file', () => {
  const document = v.parse(ProfileDocument, writtenProfile)
  const { id } = document
  async function withDocument(content = document): Promise<{ bytes: Uint8Array; now: number }> {
    const owner = await DecidingPeople.begin()
    const submitted = { ...profile(1, 3), digest: digestOfProfile(document, nodeCrypto.hash) }
    await owner.decide(owner.vendor, 'profile.submit', id, submitted)
    await owner.decide(owner.certifier, 'profile.approve', id, { version: 1, digest: submitted.digest })
    await issueCertificate(owner, 'crt_1', { profile: { id, version: 1, digest: submitted.digest } })
    return { bytes: await certificateFile(owner, { profile: encodeProfile(content) }), now: owner.now }
  }

  test('matches by its digest', async () => {
    const { bytes, now } = await withDocument()
    expect(verifyCertificate(bytes, nodeCrypto, { now })).toMatchObject({ verdict: 'valid', profile: 'matches' })
  })

  test('is refused when it is another one', async () => {
    const { bytes, now } = await withDocument({ ...document, title: 'Another title' })
    expect(verifyCertificate(bytes, nodeCrypto, { now }).problems).toMatchObject([
      { code: 'certificate.profile-mismatch' },
    ])
  })
})

test('an excerpt holds nothing of other certificates, and what it holds is read by itself', async () => {
  const both = await inForce()
  await issueCertificate(both, 'crt_other', { number: 'KS-9', products: [certified('Rival/Box', true)], line: null })
  const log = new DecisionLog(nodeCrypto)
  const entries = both.entries.map((entry) => log.append(entry))
  const excerpt = excerptOf(log, entries, 'crt_1')
  const read = new DecisionLog(nodeCrypto, { hasGaps: true })
  for (const entry of excerpt) read.append(entry)
  expect([...read.register.certificates.keys()]).toEqual(['crt_1'])
  expect(read.register.certificates.get('crt_1')).toEqual(both.log.register.certificates.get('crt_1'))
})

test('an excerpt has the templates that the profile is made after, each with its own', async () => {
  const people = await DecidingPeople.begin()
  const agree = async (id: string, basedOn: string | null, profileKind: string) => {
    const reference = basedOn === null ? null : { id: basedOn, version: 1, digest: digestOf(basedOn) }
    const version = { ...profile(1, 2), digest: digestOf(id), profileKind, basedOn: reference }
    await people.decide(people.vendor, 'profile.submit', id, version)
    await people.decide(people.certifier, 'profile.approve', id, { version: 1, digest: digestOf(id) })
  }
  await agree('gateways', null, 'template')
  await agree('industrial', 'gateways', 'template')
  await agree('own', 'industrial', 'individual')
  await agree('unrelated', 'gateways', 'template')
  await issueCertificate(people, 'crt_1', { profile: { id: 'own', version: 1, digest: digestOf('own') } })
  const log = new DecisionLog(nodeCrypto)
  const entries = people.entries.map((entry) => log.append(entry))
  const read = new DecisionLog(nodeCrypto, { hasGaps: true })
  for (const entry of excerptOf(log, entries, 'crt_1')) read.append(entry)
  expect([...read.register.profiles.keys()]).toEqual(['gateways', 'industrial', 'own'])
})
