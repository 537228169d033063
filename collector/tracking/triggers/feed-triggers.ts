import { daysBetween, type Call } from './rule.ts'

/** A critical or exploited vulnerability that devices of a product are affected by. Times are seconds since 1970. */
export interface CriticalVulnerability {
  readonly advisory: string
  readonly exploited: boolean
  readonly publishedAt: number
  readonly exposedAt: number
}

/** T4: one case for each advisory. Whether there is a duty to report, and what becomes of a certificate, people decide. */
export const criticalVulnerabilities = (found: readonly CriticalVulnerability[], now: number): readonly Call[] =>
  found.map(({ advisory, exploited, publishedAt, exposedAt }) => ({
    cause: 'vulnerability.critical',
    subject: advisory,
    isOnce: true,
    releaseId: null,
    summary:
      `${advisory} was published ${daysBetween(Math.min(publishedAt, now), now)} days ago, and devices are affected` +
      (exploited ? '; it is used in attacks: possible duty to report, assess now' : ''),
    details: { advisory, exploited, publishedAt, exposedAt },
  }))
