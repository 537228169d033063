import { authenticateEvidence } from '../../../shared/evidence/evidence.ts'
import type { AppraisalStep } from '../registry.ts'

export const signature: AppraisalStep = {
  id: 'signature',
  title: 'The device key signed exactly these bytes',
  failure: 'refuse',
  run(context) {
    context.authentic = authenticateEvidence(context.unverified, context.known.deviceKey)
  },
}
