import { KeepsealError } from '../../shared/errors.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import {
  readMaterial,
  saveIdentity,
  type EnrolledCollector,
  type Identity,
  type IdentityMaterial,
  type TlsIdentity,
} from './identity.ts'
import { statePaths } from './paths.ts'
import { FIRST_TRUST, type Trust } from './trust.ts'

/** A renewal and a statement of the collector may come together: each has to build on what the other has stored. */
let changes: Promise<unknown> = Promise.resolve()

/**
 * Puts a changed identity in force. Throws as `saveIdentity` and `loadIdentity` do, and `state.unreadable` where another
 * device has taken the place of this one meanwhile.
 */
function changeIdentity(
  stateDirectory: string,
  ueid: Ueid,
  change: (material: IdentityMaterial) => IdentityMaterial,
): Promise<Identity> {
  const changed = changes.then(async () => {
    const { identity } = statePaths(stateDirectory)
    const material = await readMaterial(identity)
    if (material.ueid !== ueid) throw new KeepsealError('state.unreadable', `${identity} is of another device`)
    return saveIdentity(stateDirectory, change(material))
  })
  changes = changed.catch(() => undefined)
  return changed
}

/**
 * Puts a renewed certificate in force: all else of the identity stays. Where a statement of the collector was followed, it
 * alone says where the broker is and who may certify it: a renewal is of no order among them.
 */
export const saveRenewal = (
  stateDirectory: string,
  { ueid, mqttUrl, tls }: { readonly ueid: Ueid; readonly mqttUrl: string; readonly tls: TlsIdentity },
): Promise<Identity> =>
  changeIdentity(stateDirectory, ueid, (material) => {
    const hasFollowed = (material.trust ?? FIRST_TRUST).number > FIRST_TRUST.number
    return {
      ...material,
      tls: hasFollowed ? { ...tls, certificateAuthority: material.tls.certificateAuthority } : tls,
      collector: hasFollowed ? material.collector : { ...material.collector, mqttUrl },
    }
  })

/** What holds of the collector after its statements. */
export interface FollowedTrust {
  readonly trust: Trust
  readonly collector: Pick<EnrolledCollector, 'url' | 'mqttUrl' | 'publicKey'>
  /** PEM. */
  readonly certificateAuthority: string
}

/** Puts what the collector has stated in force: the keys and the certificate of this device stay. */
export const saveTrust = (
  stateDirectory: string,
  ueid: Ueid,
  { trust, collector, certificateAuthority }: FollowedTrust,
): Promise<Identity> =>
  changeIdentity(stateDirectory, ueid, (material) => ({
    ...material,
    trust,
    tls: { ...material.tls, certificateAuthority },
    collector: { ...material.collector, ...collector },
  }))

/** The way to the broker has proven itself: the former one is not needed any more. */
export const forgetFallback = (stateDirectory: string, ueid: Ueid): Promise<Identity> =>
  changeIdentity(stateDirectory, ueid, ({ trust = FIRST_TRUST, ...material }) => ({
    ...material,
    trust: { ...trust, fallback: null },
  }))
