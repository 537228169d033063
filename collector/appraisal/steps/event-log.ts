import { OutcomeError } from '../../../shared/errors.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { bootCoverageOf } from '../boot-coverage.ts'
import type { BootLog } from '../boot-log.ts'
import type { AppraisalContext } from '../context.ts'
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
    if (context.quote === undefined) return
    // One that is missing is asked for by the step that looks at contents.
    if (bootLog !== undefined && bootLog !== 'missing') prove(context, bootLog, context.quote.pcrs)
    context.bootCoverage = bootCoverageOf(context.quote.pcrs, context.bootLog)
  },
}

function prove(context: AppraisalContext, bootLog: BootLog, pcrs: PcrValues): void {
  for (const [bank, values] of pcrs) {
    if (bank !== 'sha256' && bank !== 'sha384') continue
    try {
      context.bootLog = bootLog.verify(bank, values)
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      const subject = `event log/${bank}`
      context.deviations.push({ code: 'boot.log-refused', subject, before: null, after: error.message })
    }
  }
}
