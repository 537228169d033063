import type { FindingCode } from '../../shared/codes/findings.ts'
import type { Deviation } from '../appraisal/context.ts'
import { isWhole, type Row } from './closest.ts'
import type { Candidate } from './judge.ts'
import type { Release } from '../model/release.ts'

const dateText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

const CODES: Readonly<Record<Exclude<Candidate['standing'], 'accepted'>, FindingCode>> = {
  closed: 'release.superseded',
  'below-minimum': 'release.downgraded',
  revoked: 'release.revoked',
}

/** A device is of a release that is not accepted: all of it, or all but what is told beside. */
export function standingDeviation(row: Row, rows: readonly Row[]): Deviation[] {
  const { release, standing } = row.candidate
  if (standing === 'accepted') return []
  const wanted = rows.filter(({ candidate }) => candidate.standing === 'accepted')
  const before = wanted.map(({ candidate }) => candidate.release.name).join(' or ')
  const after = `${release.name}, ${reasonOf(release, standing)}${isWhole(row) ? '' : ', with deviations'}`
  return [{ code: CODES[standing], subject: 'release', before: before === '' ? 'no accepted release' : before, after }]
}

function reasonOf({ acceptedUntil, revokedAt }: Release, standing: Candidate['standing']): string {
  if (standing === 'revoked') return `revoked${revokedAt === null ? '' : ` at ${dateText(revokedAt)}`}`
  if (standing === 'below-minimum') return 'which is below the minimum'
  return acceptedUntil === null ? 'which is not accepted any more' : `accepted until ${dateText(acceptedUntil)}`
}

/**
 * A device that has gone back from a later release to one that is still accepted: a finding at once. From one that was
 * revoked meanwhile it has to go back.
 */
export function wentBack(
  conformsTo: Candidate,
  highest: Pick<Candidate, 'release' | 'standing'> | undefined,
): Deviation[] {
  if (highest === undefined || highest.standing === 'revoked' || conformsTo.standing !== 'accepted') return []
  if (highest.release.order <= conformsTo.release.order) return []
  const after = `${conformsTo.release.name}, an earlier one`
  return [{ code: 'release.downgraded', subject: 'release', before: highest.release.name, after }]
}
