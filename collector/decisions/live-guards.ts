import { fromHex } from '../../shared/bytes/bytes.ts'
import { refuse } from '../../shared/decisions/kind.ts'
import type { VerifiedEntry } from '../../shared/decisions/log.ts'
import { approvedOf, latestOf, MAY_LOWER, type ProfileVersion } from '../../shared/decisions/profile.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import { practicesOf, problemsOf, unexplainedDeviations } from '../../shared/maturity/problems.ts'
import type { ProfileDocument } from '../../shared/maturity/profile.ts'
import { decodeProfile } from '../../shared/maturity/profile-encoding.ts'
import { weakeningsOf } from '../../shared/maturity/weakenings.ts'
import type { Store } from '../store/index.ts'

export interface LiveSurroundings {
  /** With the entry already in it. */
  readonly register: Register
  readonly store: Store
  readonly catalogue: Catalogue
}

/**
 * Guards that need more than the log: what it names by digest has to be here, and to say the same. Whoever checks the log
 * elsewhere has the digest, and can ask for the document. Throws KeepsealError with the code of the guard.
 */
export async function assertLive(entry: VerifiedEntry, surroundings: LiveSurroundings): Promise<void> {
  if (entry.kind === 'profile.submit') await assertProfile(entry.subject, surroundings)
  if (entry.kind === 'document.submit')
    assertKindOfDocument(surroundings.register.documents.get(entry.subject), surroundings)
  if (entry.kind === 'document.request') {
    const request = surroundings.register.documentRequests.get(entry.subject)
    assertKindOfDocument(request && { kind: request.kind, practices: [request.practice] }, surroundings)
  }
}

/** What the catalogue does not know no practice could rest on. It is amended over time, so the log does not judge by it. */
function assertKindOfDocument(
  named: { readonly kind: string; readonly practices: readonly PracticeId[] } | undefined,
  { catalogue: { documents } }: Pick<LiveSurroundings, 'catalogue'>,
): void {
  if (named === undefined) return
  const known = documents[named.kind]
  if (known === undefined) return refuse('document.kind-unknown', named.kind)
  const foreign = named.practices.find((practice) => known.practices[practice] === undefined)
  if (foreign !== undefined) refuse('document.kind-unknown', `${named.kind} says nothing about ${foreign}`)
}

async function assertProfile(id: string, { register, store, catalogue }: LiveSurroundings): Promise<void> {
  const versions = register.profiles.get(id)
  const submitted = latestOf(versions)
  if (submitted === undefined) return
  const document = await profileOf(store, submitted.digest)
  assertSays(document, id, submitted)
  const [problem] = problemsOf(document, catalogue)
  if (problem !== undefined) refuse('profile.invalid', `${problem.path.join('.')}: ${problem.message}`)
  if (submitted.basedOn !== null) {
    const [deviation] = unexplainedDeviations(document, await profileOf(store, submitted.basedOn.digest))
    if (deviation !== undefined) refuse('profile.invalid', `${deviation.path.join('.')}: ${deviation.message}`)
  }
  const before = approvedOf(versions)
  if (before === undefined || MAY_LOWER.includes(submitted.change.kind)) return
  const weaker = weakeningsOf(await profileOf(store, before.digest), document)
  if (weaker.length > 0) {
    refuse('profile.lowering-refused', weaker.map(({ path, message }) => `${path}: ${message}`).join('; '))
  }
}

/** The profile that a digest names. Throws `profile.document-missing`. */
export async function profileOf(store: Pick<Store, 'profileDocuments'>, digest: string): Promise<ProfileDocument> {
  const bytes = await store.profileDocuments.byDigest(fromHex(digest))
  return bytes === undefined ? refuse('profile.document-missing', digest) : decodeProfile(bytes)
}

function assertSays(document: ProfileDocument, id: string, submitted: ProfileVersion): void {
  const { version, kind, basedOn } = document
  const [own, signed] = [basedOn, submitted.basedOn].map(
    (each) => each && [each.id, each.version, each.digest].join(' '),
  )
  const differs =
    document.id !== id
      ? `id ${document.id}`
      : version !== submitted.version
        ? `version ${version}`
        : kind !== submitted.profileKind
          ? `kind ${kind}`
          : own !== signed
            ? `basedOn ${own ?? 'nothing'}`
            : differingTarget(document, submitted)
  if (differs !== undefined) refuse('profile.document-differs', `the profile says ${differs}`)
}

function differingTarget(document: ProfileDocument, { targets }: ProfileVersion): string | undefined {
  const own = practicesOf(document)
  const other = own.find(([id, { target }]) => {
    const signed = targets[id]
    return signed?.level !== target.level || signed.scope !== target.scope
  })
  if (other !== undefined) return `${other[0]} ${other[1].target.level} ${other[1].target.scope}`
  return Object.keys(targets).length === own.length ? undefined : 'fewer practices'
}
