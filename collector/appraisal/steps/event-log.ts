import { OutcomeError } from '../../../shared/errors.ts'
import type { AppraisalStep } from '../registry.ts'

/**
 * A firmware log that a device sends has to lead to the values that its TPM quoted. One that does not was edited, or
 * something was measured past it: a finding of its own, beside what the values themselves show.
 */
export const eventLog: AppraisalStep = {
  id: 'event-log',
  title: 'The boot log leads to the quoted values',
  failure: 'integrity',
  run(context) {
    const { bootLog } = context.known
    if (context.quote === undefined || bootLog === undefined) return
    if (bootLog === 'missing') return // asked for by the step that looks at contents
    for (const [bank, values] of context.quote.pcrs) {
      if (bank !== 'sha256' && bank !== 'sha384') continue
      try {
        context.bootLog = bootLog.verify(bank, values)
      } catch (error) {
        if (!(error instanceof OutcomeError)) throw error
        const subject = `event log/${bank}`
        context.deviations.push({ code: 'boot.log-refused', subject, before: null, after: error.message })
      }
    }
  },
}
