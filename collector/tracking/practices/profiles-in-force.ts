import type { Certificate } from '../../../shared/decisions/certificate.ts'
import type { ProfileTargets } from '../../../shared/decisions/profile.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'
import { PRIORITIES, type ProfileDocument } from '../../../shared/maturity/profile.ts'
import { profileOf } from '../../decisions/live-guards.ts'
import type { Store } from '../../store/index.ts'

/** The approved version of a profile that a certificate names. */
export interface ProfileInForce {
  readonly id: string
  readonly version: number
  /** As the decision log has them. */
  readonly targets: ProfileTargets
  /** null: nobody has handed in what the digest names, or it was damaged. */
  readonly document: ProfileDocument | null
  /** Practices that count for the certificate: all of them where the profile is not here to say which. */
  readonly counting: readonly PracticeId[]
}

export async function profileInForce(
  store: Pick<Store, 'profileDocuments'>,
  { profiles }: Pick<Register, 'profiles'>,
  { profile: { id, version, digest } }: Pick<Certificate, 'profile'>,
): Promise<ProfileInForce> {
  const approved = profiles.get(id)?.find((each) => each.version === version && each.digest === digest)
  const targets = approved?.targets ?? {}
  const document = await documentOf(store, digest)
  const counting = PRACTICE_IDS.filter((practice) => targets[practice] !== undefined && counts(practice, document))
  return { id, version, targets, document, counting }
}

function counts(practice: PracticeId, document: ProfileDocument | null): boolean {
  const own = document?.practices[practice]
  if (document === null || own === undefined) return true
  return PRIORITIES.indexOf(own.priority) <= PRIORITIES.indexOf(document.countsFrom)
}

async function documentOf(store: Pick<Store, 'profileDocuments'>, digest: string): Promise<ProfileDocument | null> {
  try {
    return await profileOf(store, digest)
  } catch (error) {
    const isKnown = error instanceof KeepsealError && /^profile\.(document-missing|invalid)$/.test(error.code)
    if (isKnown) return null
    throw error
  }
}
