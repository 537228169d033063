import { toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
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
    const digest = context.unverified.tpm?.logs.firmware ?? null
    if (context.quote === undefined || digest === null) return
    const log = context.known.contents.get(toHex(digest))
    if (log === undefined || log === null) return // asked for by the step that looks at contents
    for (const [bank, values] of context.quote.pcrs) {
      if (bank !== 'sha256' && bank !== 'sha384') continue
      try {
        context.bootLog = verifyEventLog(parseEventLog(log), bank, values, context.hash)
      } catch (error) {
        if (!(error instanceof OutcomeError)) throw error
        context.deviations.push({
          code: 'boot.log-refused',
          subject: `event log/${bank}`,
          before: null,
          after: error.message,
        })
      }
    }
  },
}
