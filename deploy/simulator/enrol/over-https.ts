import { join } from 'node:path'
import { enrol } from '../../../agent/enrol/enrol.ts'
import type { EnrolmentTpm } from '../../../agent/enrol/tpm-session.ts'
import { loadIdentity, type Identity } from '../../../agent/state/identity.ts'
import { ProgressFile } from '../../../agent/state/progress.ts'
import { statePaths } from '../../../agent/state/paths.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { ProductIdentity } from '../../../shared/evidence/enrolment.ts'
import { encodePublic, nameOf } from '../../../shared/tpm/public.ts'
import { SimulatedGateway } from '../gateway.ts'
import { attestationKeyOf, endorsementKeyOf, serialOf } from '../keys/gateway-keys.ts'
import type { FleetSeed } from '../keys/seed.ts'
import type { ProgressStore } from '../progress.ts'
import { releaseOf, type Release } from '../posture/release.ts'
import { RESETS_AT_START, SimulatedTpm } from '../tpm.ts'

export interface HttpsEnrolment {
  /** `https://HOST:PORT`. */
  readonly collectorUrl: string
  /** PEM of the authorities that may have certified the collector. */
  readonly authorities: string | undefined
  /** Makes one token for one enrolment. */
  readonly token: () => Promise<string>
  readonly product: Omit<ProductIdentity, 'serial' | 'hardwareRevision'>
  /** Each gateway has a folder in it, as an agent has its state directory: it enrols once, whatever comes later. */
  readonly directory: string
  readonly seed: FleetSeed
}

/** What the gateway remembers of earlier runs. Throws KeepsealError `state.*` where it cannot be read. */
export function progressOf(directory: string, index: number, { ueid, collector }: Identity): Promise<ProgressFile> {
  const { progress } = statePaths(join(directory, serialOf(index)))
  return ProgressFile.open(progress, { ueid, collectorId: collector.id }, (problem) => {
    throw problem
  })
}

/** A gateway as its agent would enrol it, with a TPM in software that no vendor has certified. */
export async function enrolOverHttps(options: HttpsEnrolment, index: number): Promise<Identity> {
  const { collectorUrl, authorities, token, product, directory, seed } = options
  const stateDirectory = join(directory, serialOf(index))
  try {
    return await loadIdentity(stateDirectory)
  } catch (error) {
    if (!(error instanceof KeepsealError) || error.code !== 'agent.not-enrolled') throw error
  }
  return enrol({
    collectorUrl,
    authorities,
    token: await token(),
    product: { ...product, hardwareRevision: 'simulated', serial: serialOf(index) },
    openTpm: (keySeed) => Promise.resolve(enrolmentTpm(seed, index, keySeed)),
    stateDirectory,
    again: false,
    now: () => Math.floor(Date.now() / 1000),
    random: seed.random(`gateway ${index} enrolment`),
  })
}

function enrolmentTpm(seed: FleetSeed, index: number, keySeed: Uint8Array): EnrolmentTpm {
  const endorsement = endorsementKeyOf(seed, index)
  const attestation = attestationKeyOf(seed, index, keySeed)
  const tpm = new SimulatedTpm(attestation, releaseOf(1).boot, Date.now())
  return {
    attestationKey: { kind: 'ecdsa-p256', seed: keySeed },
    ekPublic: encodePublic(endorsement.area),
    ekName: nameOf(endorsement.area, hash),
    ekCertificate: null,
    akPublic: encodePublic(attestation.area),
    activate: (challenge) => {
      const secret = endorsement.activate(challenge, attestation.name)
      if (secret === undefined) throw new KeepsealError('tpm.command-failed', 'the challenge is for other keys')
      return Promise.resolve(secret)
    },
    quote: (extraData) => Promise.resolve(tpm.quote(extraData, Date.now())),
    close: () => Promise.resolve(),
  }
}

/**
 * `start`: the wall clock (ms) at this start of the simulator, which to the gateway is a boot. Its TPM's clock and its
 * count of resets go on from those of earlier runs: a TPM that begins anew was cleared.
 */
export function enrolledGateway(
  seed: FleetSeed,
  index: number,
  identity: Identity,
  release: Release,
  start: number,
  progress: ProgressStore,
): SimulatedGateway {
  const { ueid, product, signer, receiptKey, collector, attestationKey, enrolledAt } = identity
  const key = attestationKey === null ? null : attestationKeyOf(seed, index, attestationKey.seed)
  // More than there can have been: a boot takes longer than a second.
  const resets = RESETS_AT_START + Math.max(0, Math.floor(start / 1000) - enrolledAt)
  return new SimulatedGateway(
    { index, ueid, model: product.model, signer, receiptKey, collectorId: collector.id },
    key === null ? null : new SimulatedTpm(key, release.boot, enrolledAt * 1000, resets),
    release.posture,
    seed.random(`gateway ${index} run ${start}`),
    progress,
  )
}
