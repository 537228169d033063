import { toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { postureDigestOf } from '../../../shared/evidence/posture-digest.ts'
import { equal } from '../../../shared/bytes/bytes.ts'
import type { AppraisalStep } from '../registry.ts'

/** The posture map is the one that was signed, and what it names that is not known yet is asked for. */
export const sections: AppraisalStep = {
  id: 'sections',
  title: 'Everything that the posture names is known',
  failure: 'refuse',
  run(context) {
    const { known, unverified, missing, obstacles, hash } = context
    const { posture, postureDigest } = unverified.claims
    if (posture !== null && !equal(postureDigestOf(posture, hash), postureDigest)) {
      throw new OutcomeError('claims.malformed', 'the posture map does not have the digest beside it')
    }
    if (known.posture === undefined) {
      missing.posture = true
      obstacles.push('content.missing')
      return
    }
    const absent = [...known.posture.values()].filter((digest) => !known.contents.has(toHex(digest)))
    const firmwareLog = unverified.tpm?.logs.firmware ?? null
    if (firmwareLog !== null && !known.contents.has(toHex(firmwareLog))) missing.contents.push(firmwareLog)
    if (absent.length === 0) return
    missing.contents.push(...absent)
    obstacles.push('content.missing')
  },
}
