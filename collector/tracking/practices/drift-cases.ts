import { causeOf } from '../../../shared/maturity/causes.ts'
import { openCase } from '../cases/open.ts'
import { practiceDrifts } from '../triggers/evidence-triggers.ts'
import type { PracticeChangeHandler } from './changes.ts'

/**
 * T3: a practice that comes to drift calls for a case of each certificate in force. Once for each time that it comes to
 * it: what was closed while the window still remembers the late ones is not opened again by the next look.
 */
export const openDriftCases: PracticeChangeHandler = async (store, change, { certificates, random }) => {
  const { product, practice, from, to, at, reasons } = change
  for (const { severity, ...call } of practiceDrifts({ practice, from, to, why: reasons[0]?.text ?? '' })) {
    for (const certificateId of certificates) {
      const weight = severity ?? causeOf(call.cause).severity
      const about = {
        productId: product.id,
        certificateId,
        severity: weight,
        detectedAt: at,
        origin: 'software',
      } as const
      await openCase(store, { ...call, ...about }, at, random)
    }
  }
}
