import { describe, expect, it } from 'vitest'
import { checkStatus } from '../../../collector/web/verify/check-status.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { signStatus, type CertificateStatus } from '../../../shared/certificate/status.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { ed25519Signer } from '../../support/node-signer.ts'

const NOW = 1_800_000_000
const { signer, x } = ed25519Signer(new Uint8Array(32).fill(7))

const status: CertificateStatus = {
  certificate: 'crt_1',
  issuedAt: NOW - 10,
  expiresAt: NOW + 1000,
  list: { uri: 'https://collector.example/status-lists/1', index: 0 },
  body: {
    number: 'KS-1',
    state: 'valid',
    claimsAllowedFor: [],
    conditions: null,
    conditionsOverdue: false,
    suspension: null,
    issuedAt: NOW - 10,
    validFrom: NOW - 10,
    validUntil: NOW + 1000,
    supportUntil: NOW + 1000,
    supersedes: null,
    profile: { id: 'pro_1', version: 1, digest: '0'.repeat(64) },
    targets: {},
    limitations: null,
    products: [
      {
        product: 'Acme/Gate 7',
        hardwareRevisions: ['*'],
        firmwareLines: ['*'],
        representative: false,
        rationale: 'an example',
      },
    ],
    line: null,
    publicConformity: 'none',
    conformity: null,
    operator: 'somebody',
    log: { id: '00', index: 1, hash: '0'.repeat(64) },
  },
}

async function signed() {
  const bytes = await signStatus(status, signer)
  return { bytes, shown: { certificate: 'crt_1', key: x, digest: toHex(sha256(bytes)) } }
}

describe("a status that is checked in the visitor's browser", () => {
  it('is good where its signature is', async () => {
    const { bytes, shown } = await signed()
    expect(checkStatus(bytes, shown, NOW)).toEqual({ isGood: true, keyId: toHex(signer.keyId), issuedAt: NOW - 10 })
  })

  it('is refused with a reason for every byte that was tampered with', async () => {
    const { bytes, shown } = await signed()
    for (let at = 0; at < bytes.length; at += 7) {
      const tampered = Uint8Array.from(bytes)
      tampered[at] = (tampered[at] as number) ^ 1
      const checked = checkStatus(tampered, { ...shown, digest: toHex(sha256(tampered)) }, NOW)
      expect(checked.isGood, String(at)).toBe(false)
      expect(checked.isGood ? '' : checked.reason).not.toBe('')
    }
  })

  it('is refused when it is of another certificate, has expired, is another one than is shown, or of another key', async () => {
    const { bytes, shown } = await signed()
    const other = ed25519Signer(new Uint8Array(32).fill(8)).x
    expect(checkStatus(bytes, { ...shown, certificate: 'crt_2' }, NOW).isGood).toBe(false)
    expect(checkStatus(bytes, shown, NOW + 2000).isGood).toBe(false)
    expect(checkStatus(bytes, { ...shown, digest: '0'.repeat(64) }, NOW).isGood).toBe(false)
    expect(checkStatus(bytes, { ...shown, key: other }, NOW).isGood).toBe(false)
    expect(checkStatus(new Uint8Array(0), shown, NOW).isGood).toBe(false)
  })
})
