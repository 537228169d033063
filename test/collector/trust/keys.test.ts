import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadOrCreateKeys } from '../../../collector/trust/keys.ts'
import { DEFAULT_SERVER_NAMES, ensureServerCertificate } from '../../../collector/trust/server-certificate.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { ed25519Key, hash, random } from '../../../shared/crypto/node.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import { errorCodeOf } from '../../support/failure.ts'

const NOW = Date.UTC(2026, 10, 22)
const DAY = 86_400_000
let dataDirectory: string
beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'keepseal-keys-'))
})
afterEach(() => rm(dataDirectory, { recursive: true }))

const load = () => loadOrCreateKeys({ dataDirectory, now: NOW, random })

describe('collector keys', () => {
  it('are the same after a restart', async () => {
    const [first, second] = [await load(), await load()]
    const ueid = makeUeid(new Uint8Array(16))
    const thumbprint = new Uint8Array(32)
    expect(first.collectorId).toHaveLength(16)
    expect(second.collectorId).toEqual(first.collectorId)
    expect(second.publicKey).toEqual(first.publicKey)
    expect(second.authority.certificate).toBe(first.authority.certificate)
    expect(second.receiptKeyOf(ueid, thumbprint)).toEqual(first.receiptKeyOf(ueid, thumbprint))
  })

  it('are another collector\u2019s in another directory', async () => {
    const first = await load()
    const second = await loadOrCreateKeys({ dataDirectory: join(dataDirectory, 'other'), now: NOW, random })
    const ueid = makeUeid(new Uint8Array(16))
    const thumbprint = new Uint8Array(32)
    expect(second.receiptKeyOf(ueid, thumbprint)).not.toEqual(first.receiptKeyOf(ueid, thumbprint))
    expect(second.publicKey).not.toEqual(first.publicKey)
  })

  it('lie in files that nobody else can read', async () => {
    const { directory } = await load()
    await ensureServerCertificate({ ...(await serverOptions()), directory })
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    for (const file of await readdir(directory)) {
      expect([file, (await stat(join(directory, file))).mode & 0o777]).toEqual([file, 0o600])
    }
    expect(await readdir(dataDirectory)).toEqual(['keys'])
  })

  it('are refused when others can read one of them', async () => {
    const { directory } = await load()
    for (const file of await readdir(directory)) {
      await chmod(join(directory, file), 0o640)
      expect([file, await errorCodeOf(load)]).toEqual([file, 'state.insecure-permissions'])
      await chmod(join(directory, file), 0o600)
    }
    await chmod(directory, 0o750)
    expect(await errorCodeOf(load)).toBe('state.insecure-permissions')
    await chmod(directory, 0o700)
    expect(await errorCodeOf(load)).toBeUndefined()
  })

  it('are never made anew one by one: a lost or damaged file is an error', async () => {
    const { directory } = await load()
    for (const file of await readdir(directory)) {
      const path = join(directory, file)
      const content = await readFile(path)
      await rm(path)
      expect([file, await errorCodeOf(load)]).toEqual([file, 'state.unreadable'])
      await writeFile(path, content.subarray(0, content.length / 2), { mode: 0o600 })
      expect([file, await errorCodeOf(load)]).toEqual([file, 'state.unreadable'])
      await writeFile(path, content)
    }
    expect(await errorCodeOf(load)).toBeUndefined()
  })

  it('survive that two processes start at once', async () => {
    const loaded = await Promise.all([load(), load(), load()])
    expect(new Set(loaded.map(({ collectorId }) => toHex(collectorId))).size).toBe(1)
  })

  it('sign with the key whose thumbprint they name', async () => {
    const { signer, publicKey } = await load()
    expect(signer.keyId).toEqual(coseKeyThumbprint(publicKey, hash))
    const message = Uint8Array.of(1, 2, 3)
    expect(ed25519Key(publicKey.x).verify(message, await signer.sign(message))).toBe(true)
  })

  it('give each device and each device key a receipt key of its own', async () => {
    const { receiptKeyOf } = await load()
    const [a, b] = [makeUeid(new Uint8Array(16)), makeUeid(new Uint8Array(16).fill(1))]
    const [one, two] = [new Uint8Array(32), new Uint8Array(32).fill(1)]
    const keys = [receiptKeyOf(a, one), receiptKeyOf(a, two), receiptKeyOf(b, one)].map(toHex)
    expect(new Set(keys).size).toBe(3)
    expect(keys[0]).toHaveLength(64)
  })

  it('have an authority that may certify end entities alone', async () => {
    const certificate = new X509Certificate((await load()).authority.certificate)
    expect(certificate.ca).toBe(true)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(NOW + 20 * 365 * DAY)
    expect(certificate.toString()).toBeTruthy()
  })
})

async function serverOptions() {
  const { directory, authority } = await load()
  return { directory, authority, names: DEFAULT_SERVER_NAMES, now: NOW, random }
}

describe('server certificate', () => {
  it('is for the configured names and stays as long as it is good', async () => {
    const options = await serverOptions()
    const first = await ensureServerCertificate(options)
    const x509 = new X509Certificate(first.certificate)
    expect(x509.checkHost('localhost')).toBe('localhost')
    expect(x509.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(x509.checkIP('::1')).toBe('::1')
    expect(x509.verify(new X509Certificate(options.authority.certificate).publicKey)).toBe(true)
    expect(x509.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(await ensureServerCertificate({ ...options, now: NOW + 200 * DAY })).toEqual(first)
  })

  it('is renewed before it ends', async () => {
    const options = await serverOptions()
    const first = await ensureServerCertificate(options)
    const second = await ensureServerCertificate({ ...options, now: NOW + 310 * DAY })
    expect(second.certificate).not.toBe(first.certificate)
    expect(second.notAfter).toBe(first.notAfter + 310 * DAY)
  })

  it('is made anew when names are added or taken away', async () => {
    const options = await serverOptions()
    const first = await ensureServerCertificate(options)
    const more = await ensureServerCertificate({ ...options, names: [...options.names, 'collector.example'] })
    expect(more.certificate).not.toBe(first.certificate)
    const fewer = await ensureServerCertificate(options)
    expect(fewer.certificate).not.toBe(more.certificate)
    expect(new X509Certificate(fewer.certificate).checkHost('collector.example')).toBeUndefined()
  })

  it('is made anew under a new authority', async () => {
    const options = await serverOptions()
    const first = await ensureServerCertificate(options)
    const other = await loadOrCreateKeys({ dataDirectory: join(dataDirectory, 'other'), now: NOW, random })
    const second = await ensureServerCertificate({ ...options, authority: other.authority })
    expect(second.certificate).not.toBe(first.certificate)
  })
})
