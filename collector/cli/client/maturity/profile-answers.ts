import * as v from 'valibot'
import { hash } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { ProfileDocument } from '../../../../shared/maturity/profile.ts'
import { digestOfProfile } from '../../../../shared/maturity/profile-encoding.ts'
import type { ApiClient } from '../api.ts'

const Version = v.object({
  version: v.number(),
  digest: v.string(),
  change: v.looseObject({ kind: v.string(), publicNote: v.optional(v.string()) }),
  submittedAt: v.string(),
  approvedAt: v.nullable(v.string()),
})

export const ProfileSummary = v.object({
  id: v.string(),
  kind: v.string(),
  title: v.nullable(v.string()),
  latest: Version,
  approvedVersion: v.nullable(v.number()),
  nextReviewDue: v.nullable(v.string()),
  reviewOverdue: v.boolean(),
})

export const ShownProfile = v.object({
  profile: ProfileSummary,
  versions: v.array(Version),
  reviews: v.array(
    v.object({ version: v.number(), outcome: v.string(), text: v.string(), by: v.string(), at: v.string() }),
  ),
  shown: v.number(),
  document: v.nullable(ProfileDocument),
})
export type ShownProfile = v.InferOutput<typeof ShownProfile>

/** A profile as the collector has it; undefined where there is none. */
export async function findProfile(client: ApiClient, id: string, version?: number): Promise<ShownProfile | undefined> {
  const query = version === undefined ? '' : `?version=${version}`
  try {
    return checked(await client.get(`/profiles/${encodeURIComponent(id)}${query}`, ShownProfile))
  } catch (error) {
    if (error instanceof KeepsealError && error.code === 'request.not-found') return undefined
    throw error
  }
}

export async function profileNamed(client: ApiClient, id: string, version?: number): Promise<ShownProfile> {
  const found = await findProfile(client, id, version)
  if (found !== undefined) return found
  const what = version === undefined ? id : `${id} ${version}`
  throw new KeepsealError('request.not-found', `profile ${what}`, { remedy: 'keepseal profile list' })
}

/** What the collector shows is what the log names, or it is not shown. */
function checked(answer: ShownProfile): ShownProfile {
  const named = answer.versions.find(({ version }) => version === answer.shown)
  const own = answer.document === null ? undefined : digestOfProfile(answer.document, hash)
  if (own === undefined || own === named?.digest) return answer
  throw new KeepsealError('profile.document-differs', `it has the digest ${own}`)
}
