import type { EnrolmentTpm } from '../../agent/enrol/tpm-session.ts'
import { hash } from '../../shared/crypto/node.ts'
import { encodePublic, nameOf } from '../../shared/tpm/public.ts'
import type { SoftwareTpm } from './enrolling-device.ts'

/** The keys of a TPM in the memory of this process: for what no real TPM does on demand. */
export function inMemory({ ek, ak, ekCertificate }: SoftwareTpm): (seed: Uint8Array) => Promise<EnrolmentTpm> {
  return async (seed) => ({
    attestationKey: { kind: 'ecdsa-p256', seed },
    ekPublic: encodePublic(ek.area),
    ekName: nameOf(ek.area, hash),
    ekCertificate,
    akPublic: encodePublic(ak.area),
    activate: async (challenge) => ek.activate(challenge, ak.name) ?? new Uint8Array(32),
    quote: async (extraData) => ak.quote(extraData),
    close: async () => undefined,
  })
}
