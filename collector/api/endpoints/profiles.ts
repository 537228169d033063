import * as v from 'valibot'
import { fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { approvedOf, latestOf, type ProfileVersion } from '../../../shared/decisions/profile.ts'
import { nextReviewDue } from '../../../shared/decisions/profile-review.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { problemsOf } from '../../../shared/maturity/problems.ts'
import { ProfileDocument } from '../../../shared/maturity/profile.ts'
import { encodeProfile, MAX_PROFILE_BYTES } from '../../../shared/maturity/profile-encoding.ts'
import { profileOf } from '../../decisions/live-guards.ts'
import type { Store } from '../../store/index.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, Time, toTime, toTimeOrNull } from '../schemas.ts'
import { READERS } from './roles.ts'

const store = defineEndpoint({
  method: 'POST',
  path: '/profile-documents',
  operationId: 'storeProfileDocument',
  summary: 'Hand in a profile, for a decision that names it by its digest',
  roles: ['vendor', 'certifier'],
  // It is named by what it is, and read by whoever may read a decision that names it.
  scope: 'common',
  body: v.strictObject({ document: ProfileDocument, dryRun: v.optional(v.boolean(), false) }),
  bodyBytes: 2 * MAX_PROFILE_BYTES,
  status: 201,
  response: v.strictObject({ digest: Digest }),
  run: async ({ store: own, catalogue = defaultCatalogue, clock }, { body: { document, dryRun } }) => {
    const problems = problemsOf(document, catalogue).map(({ path, message }) => `${path.join('.')}: ${message}`)
    if (problems.length > 0) throw new KeepsealError('profile.invalid', problems.slice(0, 16).join('; '))
    const bytes = encodeProfile(document)
    if (bytes.length > MAX_PROFILE_BYTES) throw new KeepsealError('profile.invalid', `${bytes.length} bytes`)
    const digest = hash('sha256', bytes)
    if (!dryRun) await own.profileDocuments.save(new Uint8Array(digest), bytes, clock())
    return { digest: toHex(digest) }
  },
})

const Version = v.strictObject({
  version: v.number(),
  digest: Digest,
  change: v.looseObject({ kind: v.string() }),
  basedOn: v.nullable(v.strictObject({ id: v.string(), version: v.number(), digest: Digest })),
  submittedBy: v.string(),
  submittedAt: Time,
  approvedBy: v.nullable(v.string()),
  approvedAt: v.nullable(Time),
})

const seconds = (at: number | null): string | null => toTimeOrNull(at === null ? null : at * 1000)

const versionJson = (each: ProfileVersion): v.InferOutput<typeof Version> => ({
  version: each.version,
  digest: each.digest,
  change: { ...each.change },
  basedOn: each.basedOn,
  submittedBy: each.submittedBy,
  submittedAt: toTime(each.submittedAt * 1000),
  approvedBy: each.approvedBy,
  approvedAt: seconds(each.approvedAt),
})

const Summary = v.strictObject({
  id: v.string(),
  kind: v.string(),
  title: v.nullable(v.string()),
  /** The newest, approved or not. */
  latest: Version,
  approvedVersion: v.nullable(v.number()),
  nextReviewDue: v.nullable(Time),
  reviewOverdue: v.boolean(),
})

/** A version whose document is not here was entered before there were any: it is shown without. */
async function documentOf(own: Store, version: ProfileVersion): Promise<ProfileDocument | null> {
  const isHere = (await own.profileDocuments.byDigest(fromHex(version.digest))) !== undefined
  return isHere ? profileOf(own, version.digest) : null
}

async function summaryOf(
  own: Store,
  { profiles, profileReviews }: Register,
  id: string,
  now: number,
): Promise<v.InferOutput<typeof Summary>> {
  const versions = profiles.get(id)
  const latest = latestOf(versions)
  if (latest === undefined) throw new KeepsealError('request.not-found', `profile ${id}`)
  const approved = approvedOf(versions)
  const document = await documentOf(own, approved ?? latest)
  const due = document && nextReviewDue(versions, profileReviews.get(id), document.review.everyDays)
  return {
    id,
    kind: latest.profileKind,
    title: document?.title ?? null,
    latest: versionJson(latest),
    approvedVersion: approved?.version ?? null,
    nextReviewDue: seconds(due),
    reviewOverdue: due !== null && due * 1000 < now,
  }
}

const list = defineEndpoint({
  method: 'GET',
  path: '/profiles',
  operationId: 'listProfiles',
  summary: 'Profiles of the decision log, with when each is to be reviewed',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(Summary) }),
  run: async ({ store: own, decisions, clock }) => {
    const register = await decisions.register()
    const items: v.InferOutput<typeof Summary>[] = []
    for (const id of register.profiles.keys()) items.push(await summaryOf(own, register, id, clock()))
    return { items }
  },
})

const Review = v.strictObject({ version: v.number(), outcome: v.string(), text: v.string(), by: v.string(), at: Time })

const show = defineEndpoint({
  method: 'GET',
  path: '/profiles/:id',
  operationId: 'getProfile',
  summary: 'A profile with its versions, its reviews, and what its newest or a named version says',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(128)) }),
  query: v.strictObject({ version: v.optional(v.pipe(v.string(), v.regex(/^[0-9]{1,7}$/), v.transform(Number))) }),
  response: v.strictObject({
    profile: Summary,
    versions: v.array(Version),
    reviews: v.array(Review),
    shown: v.number(),
    document: v.nullable(ProfileDocument),
  }),
  run: async ({ store: own, decisions, clock }, { params: { id }, query }) => {
    const register = await decisions.register()
    const profile = await summaryOf(own, register, id, clock())
    const versions = register.profiles.get(id) ?? []
    const shown =
      query.version === undefined ? latestOf(versions) : versions.find(({ version }) => version === query.version)
    if (shown === undefined) throw new KeepsealError('request.not-found', `profile ${id} ${query.version}`)
    return {
      profile,
      versions: versions.map(versionJson),
      reviews: (register.profileReviews.get(id) ?? []).map(({ version, outcome, text, by, at }) => {
        return { version, outcome, text, by, at: toTime(at * 1000) }
      }),
      shown: shown.version,
      document: await documentOf(own, shown),
    }
  },
})

export const profileEndpoints: readonly Endpoint[] = [store, list, show]
