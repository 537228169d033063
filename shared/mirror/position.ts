import { equal } from '../bytes/bytes.ts'

/** The parts of the record, each of which only grows. */
export const POSITION_NAMES = ['enrolments', 'declarations', 'decisions', 'evidence'] as const
type PartName = (typeof POSITION_NAMES)[number]

/** How far each part was read: number of the last row, of decisions how many. */
export type Position = Readonly<Record<PartName, number>>

/** Digest of the last item of each part before a position; null where there is none. */
export type Anchors = Readonly<Record<PartName, Uint8Array | null>>

export const START: Position = { enrolments: 0, declarations: 0, decisions: 0, evidence: 0 }
export const NO_ANCHORS: Anchors = { enrolments: null, declarations: null, decisions: null, evidence: null }

const FORM = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/

export const positionText = (at: Position): string => POSITION_NAMES.map((name) => at[name]).join('.')

export function positionOfText(text: string): Position | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [enrolments = 0, declarations = 0, decisions = 0, evidence = 0] = match.slice(1).map(Number)
  return { enrolments, declarations, decisions, evidence }
}

export const samePosition = (one: Position, other: Position): boolean =>
  POSITION_NAMES.every((name) => one[name] === other[name])

/**
 * Which parts of a collector's record are not any more what they were at `after`: shorter, or with something else in
 * the last place. Evidence may be gone after its time of retention, and is then no contradiction.
 */
export function rewrittenParts(after: Position, end: Position, known: Anchors, now: Anchors): readonly PartName[] {
  return POSITION_NAMES.filter((name) => {
    if (after[name] === 0) return false
    const mayBeGone = name === 'evidence'
    if (end[name] < after[name]) return !(mayBeGone && end[name] === 0)
    const [before, present] = [known[name], now[name]]
    if (present === null) return !mayBeGone
    return before === null || !equal(before, present)
  })
}
