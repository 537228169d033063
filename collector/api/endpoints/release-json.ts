import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { Act, Release } from '../../model/release.ts'
import type { StandingRelease } from '../../releases/release-set.ts'
import { Digest, id, Time, toTime, toTimeOrNull } from '../schemas.ts'

const ActJson = v.strictObject({ by: v.string(), at: Time })

export const ReleaseJson = v.strictObject({
  id: id('rel'),
  productId: id('prd'),
  name: v.string(),
  digest: Digest,
  /** First digits of the digest: whoever approves says them, so that he approves what he looked at. */
  seen: v.string(),
  state: v.picklist(['draft', 'approved', 'active', 'superseded', 'revoked']),
  /** Whether devices may run it now; `not-in-force` for one that was never active. */
  standing: v.picklist(['not-in-force', 'accepted', 'closed', 'below-minimum', 'revoked']),
  authors: v.array(v.string()),
  createdAt: Time,
  approved: v.nullable(ActJson),
  countersigned: v.nullable(ActJson),
  activatedAt: v.nullable(Time),
  supersededAt: v.nullable(Time),
  acceptedUntil: v.nullable(Time),
  revokedAt: v.nullable(Time),
  isMinimum: v.boolean(),
  /** Active devices that conform to it. */
  deviceCount: v.number(),
})

const actJson = (act: Act | null) => (act === null ? null : { by: act.by.name, at: toTime(act.at) })

export const SEEN_DIGITS = 16

export function releaseJson(
  release: Release,
  set: readonly StandingRelease[],
  counts: ReadonlyMap<string | null, number>,
): v.InferOutput<typeof ReleaseJson> {
  const digest = toHex(release.digest)
  const standing = set.find((each) => each.release.id === release.id)?.standing
  return {
    id: release.id,
    productId: release.productId,
    name: release.name,
    digest,
    seen: digest.slice(0, SEEN_DIGITS),
    state: release.state,
    // One that is too old to be compared with any device is accepted no more than one whose window has closed.
    standing: standing ?? (release.order === null ? 'not-in-force' : release.revokedAt === null ? 'closed' : 'revoked'),
    authors: release.authors.map(({ name }) => name),
    createdAt: toTime(release.createdAt),
    approved: actJson(release.approved),
    countersigned: actJson(release.countersigned),
    activatedAt: toTimeOrNull(release.activatedAt),
    supersededAt: toTimeOrNull(release.supersededAt),
    acceptedUntil: toTimeOrNull(release.acceptedUntil),
    revokedAt: toTimeOrNull(release.revokedAt),
    isMinimum: release.isMinimum,
    deviceCount: counts.get(release.id) ?? 0,
  }
}
