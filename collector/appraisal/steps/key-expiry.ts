import type { AppraisalStep } from '../registry.ts'

/** A signing key this near its end is one to act on (reassessment trigger T6). */
const SOON_MS = 30 * 86_400_000
const STATE = 'update-channel.key-expiry'

/**
 * Whether the last key that may sign updates of a source ends soon, or has. The agent tells when: it is the same in
 * every report and stands in the state, since the section of a day has to be that of the day before.
 */
export const keyExpiry: AppraisalStep = {
  id: 'key-expiry',
  title: 'The keys that sign updates are valid for a while',
  failure: 'integrity',
  run({ unverified, known, newest, receivedAt, deviations }) {
    const expires = unverified.claims.state.get(STATE)
    const isCompared = known.approved !== undefined || known.releases !== undefined
    if (!newest || !isCompared || typeof expires !== 'number') return
    const left = expires * 1000 - receivedAt
    if (left > SOON_MS) return
    deviations.push({
      code: left > 0 ? 'update-channel.key-expiring' : 'update-channel.key-expired',
      subject: 'signing keys',
      before: null,
      after: untilText(expires),
    })
  },
}

/** A number that is no date stays one. */
function untilText(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `until ${seconds}` : `until ${date.toISOString().slice(0, 10)}`
}
