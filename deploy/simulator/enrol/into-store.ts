import type { Device } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import type { CollectorKeys } from '../../../collector/trust/keys.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { hash, hmac } from '../../../shared/crypto/node.ts'
import { encodePublicArea } from '../../../shared/tpm/public.ts'
import { SimulatedGateway } from '../gateway.ts'
import { attestationKeyOf, deviceKeyOf, endorsementNameOf, serialOf, ueidOf } from '../keys/gateway-keys.ts'
import type { FleetSeed } from '../keys/seed.ts'
import type { Release } from '../posture/release.ts'
import { SimulatedTpm } from '../tpm.ts'

/** The product that the gateways of a bench are units of. */
export interface SimulatedProduct {
  readonly id: string
  readonly vendor: string
  readonly model: string
}

export interface StoredFleet {
  readonly seed: FleetSeed
  readonly product: SimulatedProduct
  /** When they were enrolled, ms. */
  readonly now: number
}

const YEAR_MS = 365 * 86_400_000

/** The row that an enrolment on first use would have left. */
export function deviceOf({ seed, product, now }: StoredFleet, index: number): Omit<Device, 'id'> {
  const { x } = deviceKeyOf(seed, index)
  const { area, name } = attestationKeyOf(seed, index)
  return {
    ueid: ueidOf(seed, index),
    productId: product.id,
    vendor: product.vendor,
    model: product.model,
    hardwareRevision: 'simulated',
    serial: serialOf(index),
    enrolment: 'active',
    identity: 'tpm-tofu',
    deviceKey: x,
    deviceKeyThumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash),
    tlsKeyHash: seed.bytes(`gateway ${index} TLS key`),
    certificateNotAfter: now + YEAR_MS,
    tpm: {
      ekName: endorsementNameOf(seed, index),
      ekCertificate: null,
      akPublic: encodePublicArea(area),
      akName: name,
    },
    enrolledAt: now,
    revokedAt: null,
  }
}

const BATCH = 200

/**
 * Enrols gateways straight into a store, as many as a bench wants: no token, no certificate, a batch of rows at a time.
 * `onBatch` is told how many are there. `from`: the number of the first of them.
 */
export async function enrolIntoStore(
  store: Store,
  fleet: StoredFleet,
  count: number,
  onBatch: (enrolled: number) => void = () => undefined,
  from = 0,
): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first)
    await store.devices.insertMany(Array.from({ length: size }, (_, place) => deviceOf(fleet, from + first + place)))
    onBatch(first + size)
  }
}

/** A gateway that `enrolIntoStore` has enrolled. `start`: the wall clock (ms) when it was switched on. */
export function storedGateway(
  { seed, product }: StoredFleet,
  index: number,
  keys: Pick<CollectorKeys, 'collectorId' | 'receiptKeyOf'>,
  release: Release,
  start: number,
): SimulatedGateway {
  const ueid = ueidOf(seed, index)
  const { signer } = deviceKeyOf(seed, index)
  return new SimulatedGateway(
    {
      index,
      ueid,
      model: product.model,
      signer,
      receiptKey: { keyId: signer.keyId, secret: keys.receiptKeyOf(ueid, signer.keyId), hmac },
      collectorId: keys.collectorId,
    },
    new SimulatedTpm(attestationKeyOf(seed, index), release.boot, start),
    release.posture,
    seed.random(`gateway ${index} run ${start}`),
  )
}
