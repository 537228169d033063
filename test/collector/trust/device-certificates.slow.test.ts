import { createHash, generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyCertificateRequest } from '../../../collector/trust/certificate-request.ts'
import { issueDeviceCertificate } from '../../../collector/trust/device-certificates.ts'
import { loadOrCreateKeys, type CollectorKeys } from '../../../collector/trust/keys.ts'
import { ensureServerCertificate } from '../../../collector/trust/server-certificate.ts'
import { concat } from '../../../shared/bytes/bytes.ts'
import { random } from '../../../shared/crypto/node.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import { certificateRequest } from '../../support/certificate-request.ts'
import { commonName } from '../../support/der-writer.ts'
import { errorCodeOf } from '../../support/failure.ts'

const ueid = makeUeid(Uint8Array.from({ length: 16 }, (_, index) => index))
const DAY = 86_400_000
const now = Date.now()
let dataDirectory: string
let keys: CollectorKeys
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'keepseal-device-'))
  keys = await loadOrCreateKeys({ dataDirectory, now, random })
})
afterAll(() => rm(dataDirectory, { recursive: true }))

const KINDS: readonly (readonly [string, () => { privateKey: KeyObject; publicKey: KeyObject }])[] = [
  ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['Ed25519', () => generateKeyPairSync('ed25519')],
  ['RSA-2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
]

const issue = (request: Uint8Array) =>
  issueDeviceCertificate(keys.authority, {
    ueid,
    key: verifyCertificateRequest(request),
    now,
    lifetimeMs: 90 * DAY,
    random,
  })

describe('device certificate', () => {
  it.each(KINDS)('is for the UEID and the key of the request alone: %s', async (_, make) => {
    const pair = make()
    const request = certificateRequest(pair, commonName('somebody else'))
    const issued = await issue(request)
    const x509 = new X509Certificate(issued.certificate)
    const publicKeyInfo = pair.publicKey.export({ format: 'der', type: 'spki' })
    expect(x509.subject).toBe(`CN=${ueid}`)
    expect(x509.publicKey.export({ format: 'der', type: 'spki' })).toEqual(publicKeyInfo)
    expect(Buffer.from(issued.keyHash)).toEqual(createHash('sha256').update(publicKeyInfo).digest())
    expect(x509.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(x509.subjectAltName).toBeUndefined()
    expect(x509.ca).toBe(false)
    expect(Date.parse(x509.validFrom)).toBeLessThan(now)
    expect(Date.parse(x509.validTo)).toBe(issued.notAfter)
    expect(Math.abs(issued.notAfter - now - 90 * DAY)).toBeLessThan(1000)
    expect(x509.verify(new X509Certificate(keys.authority.certificate).publicKey)).toBe(true)
  })

  it('never has the same serial number twice', async () => {
    const request = certificateRequest(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    const serials = await Promise.all(
      [1, 2, 3].map(async () => new X509Certificate((await issue(request)).certificate).serialNumber),
    )
    expect(new Set(serials).size).toBe(3)
  })

  it.each(KINDS.slice(0, 2))('opens a TLS connection that demands one: %s', async (_, make) => {
    const pair = make()
    const { certificate } = await issue(certificateRequest(pair))
    const server = await ensureServerCertificate({
      directory: keys.directory,
      authority: keys.authority,
      names: ['localhost', '127.0.0.1', '::1'],
      now,
      random,
    })
    const ca = keys.authority.certificate
    const listener = createServer(
      { key: server.privateKey, cert: server.certificate, ca, requestCert: true, rejectUnauthorized: true },
      (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
    )
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' })
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca, key, cert: certificate })
    const [data] = (await once(socket, 'data')) as [Buffer]
    expect(data.toString()).toBe(ueid)
    socket.destroy()
    listener.close()
  })
})

describe('certificate request', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const refusal = (request: Uint8Array) => errorCodeOf(() => verifyCertificateRequest(request))

  it('is refused when somebody else signed it', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const request = certificateRequest({ publicKey: pair.publicKey, privateKey: other.privateKey })
    expect(await refusal(request)).toBe('request.invalid')
  })

  it.each([
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['RSA with exponent 3', () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })],
    ['Ed448', () => generateKeyPairSync('ed448')],
  ])('is refused for a key of another kind: %s', async (_, make) => {
    const other: { privateKey: KeyObject; publicKey: KeyObject } = make()
    expect(await refusal(certificateRequest(other))).toBe('request.invalid')
  })

  it('is refused with bytes after it', async () => {
    expect(await refusal(concat(certificateRequest(pair), Uint8Array.of(0)))).toBe('request.invalid')
  })

  it('is refused with a changed bit in any byte', async () => {
    const request = certificateRequest(pair)
    const accepted: number[] = []
    for (let position = 0; position < request.length; position++) {
      const changed = Uint8Array.from(request)
      changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
      if ((await refusal(changed)) === undefined) accepted.push(position)
    }
    expect(accepted).toEqual([])
  })

  it('is refused when it names the algorithm of another kind of key', async () => {
    const confused = certificateRequest(pair, undefined, {
      algorithm: '1.2.840.113549.1.1.11',
      sign: (info) => sign('sha256', info, pair.privateKey),
    })
    expect(await refusal(confused)).toBe('request.invalid')
  })

  it('is refused with SHA-1', async () => {
    const weak = certificateRequest(pair, undefined, {
      algorithm: '1.2.840.10045.4.1',
      sign: (info) => sign('sha1', info, pair.privateKey),
    })
    expect(await refusal(weak)).toBe('request.invalid')
  })
})
