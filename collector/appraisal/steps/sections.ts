import { toHex } from '../../../shared/bytes/bytes.ts'
import type { AppraisalStep } from '../registry.ts'

/** What the posture names and is not known yet is asked for. */
export const sections: AppraisalStep = {
  id: 'sections',
  title: 'Everything that the posture names is known',
  failure: 'integrity',
  run(context) {
    const { known, unverified, missing, obstacles } = context
    const absent: Uint8Array[] = []
    // A log that is named and never sent must not pass for one that was replayed.
    const firmwareLog = unverified.tpm?.logs.firmware ?? null
    if (known.bootLog === 'missing' && firmwareLog !== null) absent.push(firmwareLog)
    if (known.posture === undefined) {
      missing.posture = true
    } else {
      absent.push(...[...known.posture.values()].filter((digest) => !known.contents.has(toHex(digest))))
    }
    missing.contents.push(...absent)
    if (missing.posture || absent.length > 0) obstacles.push('content.missing')
  },
}
