import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeBrokerCertificates } from '../../../collector/trust/broker-certificates.ts'
import {
  createCertificateAuthority,
  type CertificateAuthority,
} from '../../../collector/trust/certificate-authority.ts'
import { random } from '../../../shared/crypto/node.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const NOW = Date.UTC(2026, 5, 1)
const scratch = useScratchDirectories('broker-certificates')
let authority: CertificateAuthority
beforeAll(async () => {
  authority = await createCertificateAuthority(NOW, random)
})

const write = (directory: string, collectorName = 'keepseal-collector') =>
  writeBrokerCertificates({
    authority,
    directory,
    hosts: ['mqtt.example', '192.0.2.1'],
    collectorName,
    now: NOW,
    random,
  })

describe('the certificates of an external broker', () => {
  it('are of this authority, fit their keys, and keys are for their owner alone', async () => {
    const directory = join(scratch(), 'broker')
    const { files, notAfter } = await write(directory)
    expect(readdirSync(directory).sort()).toEqual(files.map((path) => path.slice(directory.length + 1)).sort())
    const issuer = new X509Certificate(readFileSync(join(directory, 'ca.pem')))
    for (const name of ['server', 'keepseal-collector']) {
      const certificate = new X509Certificate(readFileSync(join(directory, `${name}.pem`)))
      expect(certificate.verify(issuer.publicKey)).toBe(true)
      expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(directory, `${name}-key.pem`))))).toBe(true)
      expect(Date.parse(certificate.validTo)).toBe(notAfter)
      expect(statSync(join(directory, `${name}-key.pem`)).mode & 0o777).toBe(0o600)
    }
  })

  it('are a server under its names, and a client under the name of the collector', async () => {
    const directory = scratch()
    await write(directory, 'keepseal-collector-2')
    const server = new X509Certificate(readFileSync(join(directory, 'server.pem')))
    expect([server.checkHost('mqtt.example'), server.checkIP('192.0.2.1')]).toEqual(['mqtt.example', '192.0.2.1'])
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    const client = new X509Certificate(readFileSync(join(directory, 'keepseal-collector-2.pem')))
    expect(client.subject).toBe('CN=keepseal-collector-2')
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  })

  it('are made anew by a second call', async () => {
    const directory = scratch()
    await write(directory)
    const before = readFileSync(join(directory, 'server-key.pem'), 'utf8')
    await write(directory)
    expect(readFileSync(join(directory, 'server-key.pem'), 'utf8')).not.toBe(before)
  })

  it.each([
    `01${'ab'.repeat(16)}`,
    'collector',
    'keepseal-collector\n',
    '../keepseal-collector',
    'keepseal-collector-',
  ])('are not made for %j, which is no name of a collector', async (name) => {
    const directory = scratch()
    expect(await errorCodeOf(() => write(directory, name))).toBe('request.invalid')
    expect(readdirSync(directory)).toEqual([])
  })
})
