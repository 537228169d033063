import { OutcomeError } from '../../../shared/errors.ts'
import type { AppraisalStep } from '../registry.ts'

/** Topic == claims == owner of the key: the broker is trusted with delivery alone. */
export const identity: AppraisalStep = {
  id: 'identity',
  title: 'The message belongs to an enrolled device',
  failure: 'refuse',
  run({ topicUeid, unverified, known }) {
    if (topicUeid !== unverified.ueid || unverified.ueid !== known.device.ueid) {
      throw new OutcomeError('identity.topic-mismatch', `topic ${topicUeid}, claims ${unverified.ueid}`)
    }
    if (known.device.enrolment === 'revoked') throw new OutcomeError('identity.revoked')
  },
}
