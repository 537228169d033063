import { equal } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { postureDigestOf } from '../../../shared/evidence/posture-digest.ts'
import type { AppraisalStep } from '../registry.ts'

/**
 * The map that travels with the claims is the one that they name. It is kept under that digest for every device of the
 * vendor, also when a later step ends the appraisal: a false one would be believed of all of them.
 */
export const postureMap: AppraisalStep = {
  id: 'posture-map',
  title: 'The posture map is the one that the claims name',
  failure: 'refuse',
  run({ unverified, hash }) {
    const { posture, postureDigest } = unverified.claims
    if (posture !== null && !equal(postureDigestOf(posture, hash), postureDigest)) {
      throw new OutcomeError('claims.malformed', 'the posture map does not have the digest beside it')
    }
  },
}
