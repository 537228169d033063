import type { FindingCode } from '../../shared/codes/findings.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'

/**
 * Findings that are there and are not to act for a while: nobody is told of them and no case is opened for them. They
 * stay in every list, and are counted as suppressed. Ends by itself.
 */
export interface FindingException {
  /** `exc_` + UUIDv7. */
  readonly id: string
  readonly productId: string
  /** For one device, or for those of one group; both null: for all of the product. */
  readonly deviceUeid: Ueid | null
  readonly groupId: string | null
  readonly code: FindingCode
  /** What findings are about; one `*` in it stands for anything. */
  readonly subject: string
  readonly reason: string
  readonly createdBy: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly endedBy: string | null
  readonly endedAt: number | null
}

/** Where a finding begins and ends, or what it is when nothing is between. */
export interface SubjectPattern {
  readonly start: string
  /** null: it is `start`, whole. */
  readonly end: string | null
}

/** Undefined where there are several `*`. */
export function subjectPattern(text: string): SubjectPattern | undefined {
  const [start = '', end, ...more] = text.split('*')
  return more.length > 0 ? undefined : { start, end: end ?? null }
}

export const subjectText = ({ start, end }: SubjectPattern): string => (end === null ? start : `${start}*${end}`)
