import { spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { certificateRequest } from '../../../agent/enrol/certificate-request.ts'
import { verifyCertificateRequest } from '../../../collector/trust/certificate-request.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('request')
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKeyInfo = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })

describe('a certificate request', () => {
  test('is one that the collector takes, for our key', () => {
    expect(verifyCertificateRequest(certificateRequest(privateKey)).hash).toEqual(sha256(publicKeyInfo))
  })

  test('is refused with any bit of it changed', async () => {
    const request = certificateRequest(privateKey)
    for (let at = 0; at < request.length * 8; at += 5) {
      const bad = Uint8Array.from(request)
      bad[at >> 3] = (bad[at >> 3] as number) ^ (1 << (at & 7))
      expect(await errorCodeOf(() => verifyCertificateRequest(bad))).toBe('request.invalid')
    }
  })

  const openssl = spawnSync('openssl', ['version']).error === undefined
  test.runIf(openssl)('is one that OpenSSL verifies', () => {
    const file = join(scratch(), 'request.der')
    writeFileSync(file, certificateRequest(privateKey))
    const result = spawnSync('openssl', ['req', '-inform', 'DER', '-in', file, '-verify', '-noout', '-pubkey'], {
      encoding: 'utf8',
    })
    expect(result.status).toBe(0)
    expect(result.stderr + result.stdout).toContain('verify OK')
    expect(result.stdout).toContain(createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }))
  })
})
