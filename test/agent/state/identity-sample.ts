import type { IdentityMaterial } from '../../../agent/state/identity.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { createPki } from '../../support/pki.ts'

export const UEID = `01${'ab'.repeat(16)}` as Ueid
const pki = createPki()

export function identityMaterial(changes: Partial<IdentityMaterial> = {}): IdentityMaterial {
  const { key, cert } = pki.device(UEID)
  return {
    ueid: UEID,
    assurance: 'tpm-endorsed',
    product: { vendor: 'Acme', model: 'GW-1', hardwareRevision: 'B', serial: '0001' },
    enrolledAt: 1_795_000_000,
    deviceKeySeed: new Uint8Array(32).fill(7),
    receiptSecret: new Uint8Array(32).fill(9),
    attestationKey: { kind: 'ecdsa-p256', seed: new Uint8Array(32).fill(5) },
    collector: {
      url: 'https://collector.example:8443',
      mqttUrl: 'mqtts://collector.example:8883',
      id: new Uint8Array(16).fill(3),
      publicKey: { curve: 'Ed25519', x: ed25519Signer(new Uint8Array(32).fill(1)).x },
    },
    tls: { privateKey: key, certificate: cert, certificateAuthority: pki.authority },
    ...changes,
  }
}
