import { OutcomeError } from '../../../shared/errors.ts'
import { bankProblems } from '../../../shared/eventlog/banks.ts'
import type { ReplayedLog } from '../../../shared/eventlog/types.ts'
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
  const refused = (subject: string, after: string): void => {
    context.deviations.push({ code: 'boot.log-refused', subject, before: null, after })
  }
  const proven: ReplayedLog[] = []
  for (const [bank, values] of pcrs) {
    if (bank !== 'sha256' && bank !== 'sha384') continue
    try {
      proven.push(bootLog.verify(bank, values))
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      refused(`event log/${bank}`, error.message)
    }
  }
  // Of two banks that tell different boots, one was left alone by the firmware: neither is believed.
  const [problem] = bankProblems(proven, context.hash)
  if (problem === undefined) context.bootLog = proven[0]
  else refused('event log/banks', `PCR ${problem.pcr}: ${problem.detail ?? problem.code}`)
}
