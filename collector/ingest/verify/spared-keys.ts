import type { DeviceKey } from '../../../shared/evidence/evidence.ts'
import type { AttestationKey } from '../../../shared/tpm/attestation-key.ts'
import type { Device } from '../../model/device.ts'
import { sparedBy, type Proofs } from './proof.ts'

export interface ImportedKeys {
  readonly deviceKey: DeviceKey
  readonly attestationKey: AttestationKey | null
}

/** The keys of a device, which are spared what is proven of one of its messages. */
export function sparedKeys({ deviceKey, attestationKey }: ImportedKeys, device: Device, proofs: Proofs): ImportedKeys {
  const spared = { ...deviceKey, key: sparedBy(proofs.device, device.deviceKey, deviceKey.key) }
  if (attestationKey === null || device.tpm === null) return { deviceKey: spared, attestationKey }
  const key = sparedBy(proofs.quote, device.tpm.akPublic, attestationKey.key)
  return { deviceKey: spared, attestationKey: { ...attestationKey, key } }
}
