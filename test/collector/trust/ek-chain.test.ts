import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { verifyEndorsement } from '../../../collector/trust/ek-chain.ts'
import { chipName } from '../../../collector/trust/ek-key.ts'
import { EndorsementAuthorities, loadEndorsementAuthorities } from '../../../collector/trust/ek-roots.ts'
import { parseSubjectPublicKey } from '../../../collector/trust/subject-public-key.ts'
import { parseX509 } from '../../../collector/trust/x509.ts'
import { concat, toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { nameOf, parsePublic, type PublicArea } from '../../../shared/tpm/public.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../../shared/tpm/templates.ts'
import { commonName, sequence } from '../../support/der-writer.ts'
import { fixturePath, fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { errorCodeOf, failureOf } from '../../support/failure.ts'
import { softwareEndorsementKey } from '../../support/software-ek.ts'
import {
  authority,
  basicConstraints,
  DIGITAL_SIGNATURE,
  EK_EXTENSIONS,
  ekCertificate,
  extension,
  KEY_CERT_SIGN,
  purpose,
  TEST_NOW,
  testKey,
  tpmName,
  YEAR_MS,
  type TestAuthority,
} from '../../support/test-certificates.ts'

const ek = softwareEndorsementKey()
const root = authority('Vendor root', null)
const intermediate = authority('Vendor intermediate', root)

function trusting(...authorities: readonly TestAuthority[]): EndorsementAuthorities {
  const trusted = new EndorsementAuthorities()
  for (const { der } of authorities) trusted.add(der)
  return trusted
}

const verify = (certificate: Uint8Array, trusted = trusting(root, intermediate), now = TEST_NOW) =>
  verifyEndorsement(certificate, ek.area, trusted, now)

/** The reason for `enrol.ek-untrusted`; any other ending fails the test. */
async function reasonAgainst(certificate: Uint8Array, trusted?: EndorsementAuthorities, now?: number): Promise<string> {
  const failure = await failureOf(() => verify(certificate, trusted, now))
  expect(failure?.code).toBe('enrol.ek-untrusted')
  return failure?.message ?? ''
}

const certified = (changes: Parameters<typeof ekCertificate>[2] = {}, issuer: TestAuthority = intermediate) =>
  ekCertificate(ek.publicKeyInfo, issuer, changes)

const withExtensions = (changes: Partial<Record<keyof typeof EK_EXTENSIONS, Uint8Array | null>>) =>
  certified({
    extensions: Object.values({ ...EK_EXTENSIONS, ...changes }).filter((value): value is Uint8Array => value !== null),
  })

describe('endorsement chain', () => {
  it('accepts an endorsement key under an intermediate and says what the TPM is', () => {
    const endorsement = verify(certified())
    expect(endorsement.tpm).toEqual({ manufacturer: 'id:4B534541', model: 'model A', version: 'id:00010002' })
    expect(endorsement.rootFingerprint).toBe(toHex(hash('sha256', root.der)))
  })

  it('accepts a certificate directly under the root', () => {
    expect(verify(certified({}, root)).rootFingerprint).toBe(toHex(hash('sha256', root.der)))
  })

  it('cuts off the padding of an NV index and nothing else', async () => {
    const certificate = certified()
    for (const filler of [0x00, 0xff]) {
      const padded = concat(certificate, new Uint8Array(300).fill(filler))
      expect(verify(padded).certificate).toEqual(certificate)
    }
    await reasonAgainst(concat(certificate, Uint8Array.of(0, 0, 1)))
  })

  it('does not know an issuer that is not in the directory', async () => {
    expect(await reasonAgainst(certified(), trusting(root))).toContain('Vendor intermediate')
    expect(await reasonAgainst(certified(), trusting(intermediate))).toContain('Vendor root')
    await reasonAgainst(certified(), new EndorsementAuthorities())
  })

  it('is not misled by another authority of the same name', async () => {
    const impostor = authority('Vendor intermediate', root)
    expect(await reasonAgainst(certified({}, impostor))).toContain('signature does not verify')
    expect(verify(certified(), trusting(impostor, root, intermediate)).rootFingerprint).toHaveLength(64)
  })

  it('refuses an intermediate that ended or has not begun', async () => {
    const expired = authority('Expired', root, { notAfter: TEST_NOW - 1000 })
    expect(await reasonAgainst(certified({}, expired), trusting(root, expired))).toContain('expired')
    const future = authority('Future', root, { notBefore: TEST_NOW + 1000 })
    await reasonAgainst(certified({}, future), trusting(root, future))
  })

  it('refuses a root that ended', async () => {
    expect(await reasonAgainst(certified(), trusting(root, intermediate), TEST_NOW + 2 * YEAR_MS)).toContain('expired')
  })

  it('refuses an endorsement certificate that ended', async () => {
    expect(await reasonAgainst(certified({ notAfter: TEST_NOW - 1000 }))).toContain('expired')
    await reasonAgainst(certified({ notBefore: TEST_NOW + 1000 }))
  })

  it('refuses an issuer that is no authority', async () => {
    for (const extensions of [[basicConstraints(false)], [], [KEY_CERT_SIGN]]) {
      const leaf = authority('Leaf', root, { extensions })
      expect(await reasonAgainst(certified({}, leaf), trusting(root, leaf))).toContain('not an authority')
    }
  })

  it('refuses a certificate that another endorsement key would have issued', async () => {
    const other = softwareEndorsementKey()
    const key = testKey()
    const certificate = ekCertificate(key.publicKeyInfo, intermediate, { subject: commonName('Leaf') })
    const issuer = { ...key, subject: commonName('Leaf'), der: certificate }
    const forged = ekCertificate(other.publicKeyInfo, issuer)
    const failure = await failureOf(() =>
      verifyEndorsement(forged, other.area, trusting(root, intermediate, issuer), TEST_NOW),
    )
    expect(failure?.code).toBe('enrol.ek-untrusted')
  })

  it('refuses an issuer whose key usage does not allow certificates', async () => {
    const signer = authority('Signer', root, { extensions: [basicConstraints(true), DIGITAL_SIGNATURE] })
    expect(await reasonAgainst(certified({}, signer), trusting(root, signer))).toContain('key usage')
  })

  it('holds the path length of every authority', async () => {
    const narrow = authority('Narrow', null, { extensions: [basicConstraints(true, 0), KEY_CERT_SIGN] })
    const below = authority('Below', narrow)
    expect(verify(certified({}, narrow), trusting(narrow)).rootFingerprint).toHaveLength(64)
    expect(await reasonAgainst(certified({}, below), trusting(narrow, below))).toContain('path length')
  })

  it('refuses a chain that is too long', async () => {
    const chain = [root]
    for (let level = 1; level <= 6; level++) chain.push(authority(`Level ${level}`, chain.at(-1) ?? root))
    expect(verify(certified({}, chain[5]), trusting(...chain)).rootFingerprint).toHaveLength(64)
    expect(await reasonAgainst(certified({}, chain[6]), trusting(...chain))).toContain('too long')
  })

  it('ends when authorities certify each other in a circle', async () => {
    const [keyA, keyB] = [testKey(), testKey()]
    const [nameA, nameB] = [commonName('A'), commonName('B')]
    const a = authority('A', { ...keyB, subject: nameB, der: nameB }, { key: keyA })
    const b = authority('B', { ...keyA, subject: nameA, der: nameA }, { key: keyB })
    expect(await reasonAgainst(certified({}, a), trusting(a, b, root))).toContain('circle')
  })

  it('refuses a critical extension that it does not know, on either side', async () => {
    const strange = extension('1.2.3.4', true, sequence())
    expect(await reasonAgainst(certified({ extensions: [...Object.values(EK_EXTENSIONS), strange] }))).toContain(
      '1.2.3.4',
    )
    const issuer = authority('Strange', root, { extensions: [basicConstraints(true), KEY_CERT_SIGN, strange] })
    expect(await reasonAgainst(certified({}, issuer), trusting(root, issuer))).toContain('1.2.3.4')
    const harmless = extension('1.2.3.4', false, sequence())
    expect(verify(certified({ extensions: [...Object.values(EK_EXTENSIONS), harmless] })).tpm).not.toBeNull()
  })

  it('refuses the same extension twice', async () => {
    await reasonAgainst(certified({ extensions: [...Object.values(EK_EXTENSIONS), EK_EXTENSIONS.constraints] }))
  })

  it('refuses what is not an endorsement certificate', async () => {
    await reasonAgainst(withExtensions({ constraints: basicConstraints(true) }))
    await reasonAgainst(withExtensions({ usage: DIGITAL_SIGNATURE }))
    await reasonAgainst(withExtensions({ purpose: purpose('1.3.6.1.5.5.7.3.2') }))
    await reasonAgainst(withExtensions({ purpose: null, tpm: null }))
  })

  it('accepts one that says by one sign alone what it is', () => {
    expect(verify(withExtensions({ tpm: null })).tpm).toBeNull()
    expect(verify(withExtensions({ purpose: null })).tpm?.model).toBe('model A')
  })

  it('refuses a TPM description that would write into a terminal', async () => {
    await reasonAgainst(withExtensions({ tpm: tpmName('id:4B534541', '\u001b[31mred', 'id:1') }))
  })

  it('refuses SHA-1 on anything but the root itself', async () => {
    await reasonAgainst(certified({ digest: 'sha1' }))
    const old = authority('Old', root, { digest: 'sha1' })
    await reasonAgainst(certified({}, old), trusting(root, old))
    const oldRoot = authority('Old root', null, { digest: 'sha1' })
    expect(verify(certified({}, oldRoot), trusting(oldRoot)).rootFingerprint).toHaveLength(64)
  })

  it('refuses a self-issued authority whose signature is not its own as a root', async () => {
    const pretender = authority('Pretender', null, { signingKey: testKey().privateKey })
    await reasonAgainst(certified({}, pretender), trusting(pretender))
  })

  it('refuses the certificate of another key, whoever issued it', async () => {
    const other = softwareEndorsementKey()
    expect(await errorCodeOf(() => verify(ekCertificate(other.publicKeyInfo, intermediate)))).toBe(
      'enrol.ek-certificate-mismatch',
    )
  })

  it('refuses a changed bit in any byte of the certificate', async () => {
    const certificate = certified()
    const trusted = trusting(root, intermediate)
    const accepted: number[] = []
    for (let position = 0; position < certificate.length; position++) {
      const changed = Uint8Array.from(certificate)
      changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
      if ((await failureOf(() => verify(changed, trusted))) === undefined) accepted.push(position)
    }
    expect(accepted).toEqual([])
  })
})

describe('chip name', () => {
  it('stays the same however the unproven part of the public area is varied', () => {
    const name = toHex(chipName(ek.area, hash))
    expect(name).toBe(toHex(nameOf(ek.area, hash)))
    const { area } = ek
    const variants: PublicArea[] = [
      { ...area, authPolicy: new Uint8Array(32) },
      { ...area, attributes: new Set([...area.attributes, 'noDA']) },
      { ...area, nameAlg: 'sha384', authPolicy: new Uint8Array(48) },
      { ...area, symmetric: { keyBits: 256 } },
      { ...area, unique: { ...area.unique, x: concat(new Uint8Array(0), area.unique.x) } },
    ]
    for (const variant of variants) expect(toHex(chipName(variant, hash))).toBe(name)
    expect(toHex(chipName(softwareEndorsementKey().area, hash))).not.toBe(name)
  })
})

describe('trust directory', () => {
  let directory: string | undefined
  afterEach(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true })
    directory = undefined
  })

  it('reads PEM bundles and DER, and names what it leaves out', async () => {
    directory = await mkdtemp(join(tmpdir(), 'keepseal-roots-'))
    const pem = (der: Uint8Array) =>
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`
    await writeFile(join(directory, 'bundle.pem'), `a comment\n${pem(root.der)}${pem(intermediate.der)}`)
    await writeFile(join(directory, 'again.der'), root.der)
    await writeFile(join(directory, 'damaged.crt'), root.der.subarray(0, 100))
    await writeFile(join(directory, 'README'), 'not read')
    const { authorities, skipped } = await loadEndorsementAuthorities(directory)
    expect(authorities.size).toBe(2)
    expect(skipped.map(({ path }) => path)).toEqual([join(directory, 'damaged.crt')])
    expect(verify(certified(), authorities).rootFingerprint).toHaveLength(64)
  })

  it('holds none where there is no directory', async () => {
    const { authorities } = await loadEndorsementAuthorities(join(tmpdir(), 'keepseal-no-such-directory'))
    expect(authorities.size).toBe(0)
  })
})

fixturesDescribe('vm-sb', 'endorsement of a real swtpm', () => {
  const now = Date.UTC(2026, 11, 1)
  const load = async () => {
    const authorities = new EndorsementAuthorities()
    for (const file of ['issuercert.pem', 'swtpm-localca-rootca-cert.pem']) {
      const [, body = ''] = /BEGIN CERTIFICATE-----([^-]+)/.exec(readFixture('vm-sb', file).toString('latin1')) ?? []
      authorities.add(Buffer.from(body, 'base64'))
    }
    return authorities
  }
  const rsaArea = () => parsePublic(readFixture('vm-sb', 'ek.pub'))

  it('verifies the RSA certificate against its public area', async () => {
    const endorsement = verifyEndorsement(readFixture('vm-sb', 'ekcert-0x1c00002.der'), rsaArea(), await load(), now)
    expect(endorsement.tpm).toEqual({ manufacturer: 'id:00001014', model: 'swtpm', version: 'id:20191023' })
  })

  it('gives the chip the name that the TPM computes', () => {
    expect(chipName(rsaArea(), hash)).toEqual(nameOf(rsaArea(), hash))
  })

  it('verifies the P-384 certificate against its public area', async () => {
    const certificate = readFixture('vm-sb', 'ekcert-0x1c00016.der')
    const key = parseSubjectPublicKey(parseX509(certificate).publicKeyInfo)
    const template = ENDORSEMENT_KEY_PROFILES.find(({ id }) => id === 'H-3')?.template
    if (key.type !== 'ec' || template?.type !== 'ecc') throw new Error('not P-384')
    const area = { ...template, unique: { x: key.x, y: key.y } }
    expect(verifyEndorsement(certificate, area, await load(), now).tpm?.model).toBe('swtpm')
  })

  it('refuses the P-384 certificate for the RSA key', async () => {
    const authorities = await load()
    const certificate = readFixture('vm-sb', 'ekcert-0x1c00016.der')
    expect(await errorCodeOf(() => verifyEndorsement(certificate, rsaArea(), authorities, now))).toBe(
      'enrol.ek-certificate-mismatch',
    )
  })

  it('refuses it where the root is not trusted', async () => {
    const { authorities } = await loadEndorsementAuthorities(fixturePath('vm-sb', 'efivars'))
    const certificate = readFixture('vm-sb', 'ekcert-0x1c00002.der')
    expect(await errorCodeOf(() => verifyEndorsement(certificate, rsaArea(), authorities, now))).toBe(
      'enrol.ek-untrusted',
    )
  })
})
