import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readEndorsementKey, type EndorsementKey } from '../../../agent/tpm/endorsement-key.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { concat, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { encodePublicArea, parsePublic } from '../../../shared/tpm/public.ts'
import { ENDORSEMENT_KEY_PROFILES, withNonce, type EndorsementKeyProfile } from '../../../shared/tpm/templates.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { tpm2 } from '../../support/tpm2-tools.ts'

const only = (id: EndorsementKeyProfile['id']): EndorsementKeyProfile[] =>
  ENDORSEMENT_KEY_PROFILES.filter((profile) => profile.id === id)

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const withTpm = async <T>(swtpm: SoftwareTpm, use: (tpm: Tpm) => Promise<T>): Promise<T> => {
  const tpm = await openTpm(swtpm.tcti)
  try {
    return await use(tpm)
  } finally {
    await tpm.close()
  }
}

async function writeNvIndex(swtpm: SoftwareTpm, index: number, content: Uint8Array): Promise<void> {
  const file = join(directory, `nv-${index}`)
  writeFileSync(file, content)
  const address = `0x${index.toString(16)}`
  await tpm2(swtpm.tcti, 'nvdefine', address, '-C', 'o', '-s', String(content.length), '-a', 'ownerwrite|authread')
  await tpm2(swtpm.tcti, 'nvwrite', address, '-C', 'o', '-i', file)
}

describe('a TPM with EK certificates', () => {
  let swtpm: SoftwareTpm
  let rsa: EndorsementKey
  beforeAll(async () => {
    swtpm = await startSwtpm()
    rsa = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm))
  })
  afterAll(() => swtpm.stop())

  test('the key that the TPM makes is the one in its RSA certificate', () => {
    const certificate = new X509Certificate(rsa.certificate ?? new Uint8Array())
    const area = parsePublic(rsa.publicBytes)
    expect(rsa).toMatchObject({ profile: 'L-1', foreignCertificates: [] })
    expect(area.type === 'rsa' && toBase64Url(area.unique)).toBe(certificate.publicKey.export({ format: 'jwk' }).n)
  })

  test('the key of the high range is the one in its P-384 certificate', async () => {
    const key = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm, only('H-3')))
    const { x, y } = new X509Certificate(key.certificate ?? new Uint8Array()).publicKey.export({ format: 'jwk' })
    expect(key.publicArea.type === 'ecc' && toBase64Url(key.publicArea.unique.x)).toBe(x)
    expect(key.publicArea.type === 'ecc' && toBase64Url(key.publicArea.unique.y)).toBe(y)
  })

  test('the certificate leads to the root that the harness names', () => {
    const [root, issuer] = swtpm.caCertificates.map((file) => new X509Certificate(readFileSync(file)))
    const certificate = new X509Certificate(rsa.certificate ?? new Uint8Array())
    expect(issuer && certificate.verify(issuer.publicKey)).toBe(true)
    expect(root && issuer?.verify(root.publicKey)).toBe(true)
  })

  test('a key without a certificate comes without one', async () => {
    const key = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm, only('L-2')))
    expect(key).toMatchObject({ profile: 'L-2', certificate: undefined, foreignCertificates: [] })
  })

  test('a certificate for another key is passed over and named', async () => {
    // A nonce that the manufacturer did not use: the key that it leads to is not the certified one.
    await writeNvIndex(swtpm, 0x01c00003, new Uint8Array(32).fill(7))
    const key = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm))
    expect(key).toMatchObject({ profile: 'H-3', foreignCertificates: [0x01c00002] })
    expect(key.certificate).toBeDefined()
  })
})

describe('a TPM without EK certificates', () => {
  let swtpm: SoftwareTpm
  beforeAll(async () => {
    swtpm = await startSwtpm({ withEkCertificate: false })
  })
  afterAll(() => swtpm.stop())

  test('has the first default key, and the same one after a power cycle', async () => {
    const before = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm))
    await swtpm.restart()
    const after = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm))
    expect(before).toMatchObject({ profile: 'L-1', certificate: undefined })
    expect(after.publicBytes).toEqual(before.publicBytes)
  })

  test('a nonce and a template in NV stand in for the defaults', async () => {
    const [profile] = only('L-2')
    if (profile === undefined) throw new Error('no such profile')
    const plain = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm, [profile]))

    const nonce = new Uint8Array(16).fill(9)
    await writeNvIndex(swtpm, 0x01c0000b, nonce)
    const withOwnNonce = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm, [profile]))
    expect(withOwnNonce.template).toEqual(withNonce(profile.template, nonce))
    expect(withOwnNonce.publicBytes).not.toEqual(plain.publicBytes)

    const attributes = new Set(profile.template.attributes).add('noDA')
    await writeNvIndex(swtpm, 0x01c0000c, encodePublicArea({ ...profile.template, attributes }))
    const withOwnTemplate = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm, [profile]))
    expect(withOwnTemplate.publicArea.attributes).toEqual(attributes)
    expect(withOwnTemplate.template).toEqual(withNonce({ ...profile.template, attributes }, nonce))
  })

  test('a template in NV that cannot be read is passed over', async () => {
    await writeNvIndex(swtpm, 0x01c00004, concat(Uint8Array.of(0xff, 0xff), new Uint8Array(20)))
    const key = await withTpm(swtpm, (tpm) => readEndorsementKey(tpm, only('L-1')))
    expect(key.template).toEqual(only('L-1')[0]?.template)
  })
})
