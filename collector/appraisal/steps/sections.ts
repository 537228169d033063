import { toHex } from '../../../shared/bytes/bytes.ts'
import type { AppraisalStep } from '../registry.ts'

/** What the posture names and is not known yet is asked for. */
export const sections: AppraisalStep = {
  id: 'sections',
  title: 'Everything that the posture names is known',
  failure: 'integrity',
  run(context) {
    const { known, unverified, missing, obstacles } = context
    if (known.posture === undefined) {
      missing.posture = true
      obstacles.push('content.missing')
      return
    }
    const absent = [...known.posture.values()].filter((digest) => !known.contents.has(toHex(digest)))
    const firmwareLog = unverified.tpm?.logs.firmware ?? null
    // A log that is named and never sent must not pass for one that was replayed.
    if (firmwareLog !== null && !known.contents.has(toHex(firmwareLog))) absent.unshift(firmwareLog)
    if (absent.length === 0) return
    missing.contents.push(...absent)
    obstacles.push('content.missing')
  },
}
