import type { KeyObject } from 'node:crypto'
import { concat, utf8 } from '../../shared/bytes/bytes.ts'
import { commonName, der, sequence } from './der-writer.ts'
import {
  authority,
  basicConstraints,
  certificate,
  extension,
  purpose,
  testKey,
  YEAR_MS,
  type TestAuthority,
} from './test-certificates.ts'

/** A certificate authority for TLS, valid now, with servers on this machine and devices. All PEM. */
export interface TestPki {
  readonly authority: string
  server(): TlsPair
  device(commonName: string): TlsPair
}

export interface TlsPair {
  readonly key: string
  readonly cert: string
}

const pem = (bytes: Uint8Array): string => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const privatePem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString()

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
/** dNSName [2] and iPAddress [7] of GeneralName (RFC 5280 section 4.2.1.6). */
const LOOPBACK_NAMES = extension(
  '2.5.29.17',
  false,
  sequence(der(0x82, utf8('localhost')), der(0x87, Uint8Array.of(127, 0, 0, 1))),
)

export function createPki(title = 'Test authority'): TestPki {
  const validity = { notBefore: Date.now() - 3_600_000, notAfter: Date.now() + YEAR_MS }
  const root: TestAuthority = authority(title, null, validity)
  const issue = (subject: string, extensions: Uint8Array[]): TlsPair => {
    const key = testKey()
    const bytes = certificate({
      subject: commonName(subject),
      issuer: root.subject,
      publicKeyInfo: key.publicKeyInfo,
      signingKey: root.privateKey,
      ...validity,
      extensions: [basicConstraints(false), ...extensions],
      digest: 'sha256',
    })
    return { key: privatePem(key.privateKey), cert: pem(concat(bytes)) }
  }
  return {
    authority: pem(root.der),
    server: () => issue('localhost', [purpose(SERVER_AUTH), LOOPBACK_NAMES]),
    device: (name) => issue(name, [purpose(CLIENT_AUTH)]),
  }
}
