import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { deflateZlib, inflateZlib } from '../../../collector/zlib.ts'
import { toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import {
  openStatusList,
  packStatuses,
  STATUS_TYPES,
  statusAt,
  statusesOf,
  statusTypeOf,
} from '../../../shared/certificate/status-list.ts'
import { verifyCertificate, type VerifyOptions } from '../../../shared/certificate/verify.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { certificateFile, COLLECTOR, statusListOf, statusOf } from '../../support/certificate-file.ts'
import { loadCddl } from '../../support/cddl.ts'
import { approveProfile, DAY, DecidingPeople, issueCertificate } from '../../support/decision-log.ts'
import { readDocument } from '../../support/documents.ts'
import { ed25519Signer } from '../../support/node-signer.ts'

const key = {
  key: nodeCrypto.ed25519Key(COLLECTOR.key.x),
  thumbprint: coseKeyThumbprint(COLLECTOR.key, nodeCrypto.hash),
}
const open = (bytes: Uint8Array) => openStatusList(bytes, key, inflateZlib)
const types = fc.array(fc.constantFrom(...STATUS_TYPES), { maxLength: 300 })

describe('a list of statuses', () => {
  test('is packed and compressed as the example of the draft', () => {
    const example = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3].map((value) => STATUS_TYPES[value] ?? 'valid')
    const packed = packStatuses(example)
    expect(toHex(packed)).toBe('c944f9')
    expect(toBase64Url(deflateZlib(packed))).toBe('eNo76fITAAPfAgc')
  })

  test('gives back what was packed, and nothing beyond its end', () => {
    fc.assert(
      fc.property(types, (statuses) => {
        const packed = packStatuses(statuses)
        expect(statuses.map((_, index) => statusAt(packed, index))).toEqual(statuses)
        expect(statusAt(packed, packed.length * 4)).toBeUndefined()
      }),
    )
  })
})

describe('a signed list of statuses', () => {
  let people: DecidingPeople
  let file: Uint8Array
  const verify = async (over: Parameters<typeof statusListOf>[1] = {}, options: Partial<VerifyOptions> = {}) =>
    verifyCertificate(file, nodeCrypto, {
      now: people.now,
      statusList: { bytes: await statusListOf(people, over), inflate: inflateZlib },
      ...options,
    })
  beforeAll(async () => {
    people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    await issueCertificate(people)
    file = await certificateFile(people)
  })

  test('gives every certificate the place of its draft in the log, which never moves', async () => {
    const { register } = people.log
    const place = register.certificates.get('crt_1')?.place ?? -1
    expect(statusesOf(register, people.now)[place]).toBe('valid')
    expect(statusesOf(register, people.now).filter((type) => type !== 'invalid')).toHaveLength(1)
    const list = open(await statusListOf(people))
    expect(statusAt(list.bytes, place)).toBe('valid')
  })

  test('says of a certificate in force that is expired or not begun that it is invalid', () => {
    const certificate = people.log.register.certificates.get('crt_1')
    if (certificate === undefined) throw new Error('no certificate')
    expect(statusTypeOf(certificate, certificate.validFrom - 1)).toBe('invalid')
    expect(statusTypeOf(certificate, certificate.validUntil)).toBe('invalid')
    expect(statusTypeOf({ ...certificate, state: 'draft' }, people.now)).toBe('invalid')
    expect(statusTypeOf({ ...certificate, state: 'valid-with-conditions' }, people.now)).toBe('application-specific')
  })

  test('makes the status of a certificate fresh again, whose own has expired', async () => {
    people.days(3)
    expect(verifyCertificate(file, nodeCrypto, { now: people.now }).verdict).toBe('unknown')
    expect(await verify()).toMatchObject({
      verdict: 'valid',
      listed: 'valid',
      asOf: people.now,
      claimsAllowedFor: ['Acme/Gate 7', 'Acme/Gate 7 Mini'],
    })
    expect(await verify({}, { now: people.now + DAY })).toMatchObject({ verdict: 'unknown', claimsAllowedFor: [] })
  })

  test('is refused when it is of another address, another key, or from the future', async () => {
    const codeOf = async (...given: Parameters<typeof verify>) => (await verify(...given)).problems[0]?.code
    expect(await codeOf({ uri: 'https://other.example/status-lists/1' })).toBe('certificate.status-invalid')
    expect(await codeOf({ issuedAt: people.now + 3600 })).toBe('certificate.status-invalid')
    expect(await codeOf({ bytes: new Uint8Array(1) })).toBe('certificate.status-invalid')
    const { signer } = ed25519Signer(new Uint8Array(32).fill(9))
    const bytes = await statusListOf(people, {}, signer)
    expect(await codeOf({}, { statusList: { bytes, inflate: inflateZlib } })).toBe('certificate.status-invalid')
  })

  test('does not replace a status that is newer', async () => {
    const status = await statusOf(people)
    const older = { issuedAt: people.now - 10, bytes: packStatuses([]) }
    expect(await verify(older, { status })).toMatchObject({ verdict: 'valid', listed: null })
  })

  test('is refused when it decompresses to more than a list may have', async () => {
    const bomb = await statusListOf(people, { bytes: new Uint8Array(1024 * 1024 + 1) })
    expect(bomb.length).toBeLessThan(4096)
    expect(() => open(bomb)).toThrow(KeepsealError)
    expect(inflateZlib(deflateZlib(new Uint8Array(1001)), 1000)).toBeUndefined()
  })

  test('is refused with a code, whatever is wrong with it', async () => {
    const good = await statusListOf(people)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, isCut) => {
        const bad = isCut ? good.slice(0, at) : good.map((byte, index) => (index === at ? byte ^ change : byte))
        expect(() => open(bad)).toThrow(expect.objectContaining({ code: 'certificate.status-invalid' }))
      }),
    )
  })

  test('suspends, restores and ends what it lists, also without a fresh status', async () => {
    const reason = 'a hole'
    const decide = (kind: string, detail: object) =>
      people.decide(people.certifier, kind, 'crt_1', { reason, ...detail })
    await decide('certificate.suspend', { until: people.now + DAY, products: ['Acme/Gate 7'] })
    expect(await verify()).toMatchObject({ verdict: 'unknown', listed: 'application-specific', claimsAllowedFor: [] })
    const status = await statusOf(people)
    expect(await verify({}, { status })).toMatchObject({ verdict: 'suspended', claimsAllowedFor: ['Acme/Gate 7 Mini'] })
    await decide('certificate.restore', {})
    await decide('certificate.suspend', { until: people.now + DAY, products: null })
    expect(await verify()).toMatchObject({ verdict: 'suspended', listed: 'suspended', claimsAllowedFor: [] })
    await decide('certificate.withdraw', {})
    expect(await verify()).toMatchObject({ verdict: 'ended', listed: 'invalid', claimsAllowedFor: [] })
  })
})

describe('the page about certificates', () => {
  const [, text = ''] = /```cddl\n([^]*?)```/.exec(readDocument('certificates.md')) ?? []
  const format = loadCddl(text)

  test('has the format of files, statuses and lists as they are', async () => {
    const people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    await issueCertificate(people)
    expect(format.check('certificate-file', await certificateFile(people))).toBeUndefined()
    expect(format.check('certificate-status', await statusOf(people))).toBeUndefined()
    expect(format.check('status-list', await statusListOf(people))).toBeUndefined()
    expect(format.check('status-list', await statusOf(people))).toBeDefined()
  })
})
