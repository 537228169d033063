import * as v from 'valibot'
import { COVERAGE_TEXTS, type CoverageReason } from '../../../shared/decisions/coverage.ts'
import { printable } from '../../../shared/text/printable.ts'
import { paragraph } from './text.ts'

const counted = {
  covered: v.number(),
  notCovered: v.number(),
  reasons: v.array(v.looseObject({ reason: v.string(), units: v.number() })),
}
export const CoverageCount = v.looseObject(counted)
export type CoverageCount = v.InferOutput<typeof CoverageCount>
export const FleetCoverage = v.looseObject({ asOf: v.string(), ...counted })

export const coverageCounts = ({ covered, notCovered, reasons }: CoverageCount): string => {
  const all = covered + notCovered
  if (all === 0) return 'no active unit'
  const why = reasons.map(({ reason, units }) => `${reason} ${units}`).join(', ')
  return `${covered} of ${all} active units covered${why === '' ? '' : `; not covered: ${why}`}`
}

/** The counts, and in words what each reason means. */
export const coverageLines = (count: CoverageCount): readonly string[] => [
  ...paragraph('', printable(coverageCounts(count))),
  ...count.reasons.flatMap(({ reason }) => paragraph('  ', printable(`${reason}: ${coverageText(reason)}`))),
]

export const coverageText = (reason: string): string =>
  Object.hasOwn(COVERAGE_TEXTS, reason) ? COVERAGE_TEXTS[reason as CoverageReason] : reason
