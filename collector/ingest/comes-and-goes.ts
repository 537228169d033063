import { REPORT_INTERVAL } from '../../shared/evidence/state.ts'
import type { Handled } from './evidence-handler.ts'

/** Whether a device may leave once it has its receipt, so that what else it is told has to reach it at once. */
export const comesAndGoes = (appraisal: Handled['appraisal']): boolean =>
  appraisal?.evidence.claims.state.has(REPORT_INTERVAL) === true
