import type { HashFunction } from '../crypto/crypto.ts'
import { caseKinds } from './cases/kinds.ts'
import { certificateKinds } from './certificate-kinds.ts'
import { documentKinds } from './documents/kinds.ts'
import { documentRequestKinds } from './documents/request-kinds.ts'
import type { DecisionKind } from './kind.ts'
import { nonconformityKinds } from './nonconformity.ts'
import { personKinds } from './person.ts'
import { profileReviewKinds } from './profile-review.ts'
import { profileKinds } from './profile.ts'
import { releaseKinds } from './release-kinds.ts'
import { roadmapKinds } from './roadmap/item.ts'
import { recommendationKinds } from './roadmap/recommendation.ts'
import { stageKinds } from './stages.ts'

/** Every kind of decision that a log can hold. What is not here cannot be decided. */
export function decisionKinds(hash: HashFunction): ReadonlyMap<string, DecisionKind<unknown>> {
  const all = {
    ...personKinds(hash),
    ...profileKinds,
    ...profileReviewKinds,
    ...documentKinds,
    ...documentRequestKinds,
    ...recommendationKinds,
    ...roadmapKinds,
    ...stageKinds,
    ...nonconformityKinds,
    ...certificateKinds,
    ...releaseKinds,
    ...caseKinds,
  }
  return new Map(Object.entries(all).map(([kind, definition]) => [kind, definition as DecisionKind<unknown>]))
}
