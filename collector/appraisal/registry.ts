import type { AppraisalContext } from './context.ts'
import { eventLog } from './steps/event-log.ts'
import { freshness } from './steps/freshness.ts'
import { identity } from './steps/identity.ts'
import { ima } from './steps/ima.ts'
import { keyExpiry } from './steps/key-expiry.ts'
import { link } from './steps/link.ts'
import { platform } from './steps/platform.ts'
import { postureMap } from './steps/posture-map.ts'
import { quote } from './steps/quote.ts'
import { referenceValues } from './steps/reference-values.ts'
import { sections } from './steps/sections.ts'
import { signature } from './steps/signature.ts'
import { tpmClock } from './steps/tpm-clock.ts'

/**
 * What an OutcomeError in a step means. `refuse`: the message is no evidence of this device, it is recorded and
 * answered, and changes no verdict. `integrity`: it is evidence that the device failed.
 */
export type StepFailure = 'refuse' | 'integrity'

export interface AppraisalStep {
  readonly id: string
  readonly title: string
  readonly failure: StepFailure
  /** Throws OutcomeError, or adds to the context. Any other error is a fault of this software. */
  run(context: AppraisalContext): void
}

/** The appraisal of evidence, in order, after it was decoded (shared/evidence/evidence.ts, decodeEvidence). */
export const STEPS: readonly AppraisalStep[] = [
  identity,
  signature,
  postureMap,
  link,
  freshness,
  quote,
  eventLog,
  tpmClock,
  ima,
  sections,
  platform,
  referenceValues,
  keyExpiry,
]
