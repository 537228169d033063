import { KeepsealError } from '../../shared/errors.ts'
import type { WrongRecord } from '../model/advisory.ts'

/** Of a feed. With more of them it is something else than it says. */
const MOST = 100
const MOST_PERCENT = 1
/** One may be wrong in a feed of so many, whatever its share is. */
const ONE_IN = 20

const MAX_PLACE = 500
const MAX_DETAIL = 500
const MAX_NAME = 256

/** What is wrong with one record is its own fault; undefined where it is the fault of all that is read, or of nobody. */
export function wrongRecord(
  place: string,
  error: unknown,
  about: Partial<Pick<WrongRecord, 'advisory' | 'package'>>,
): WrongRecord | undefined {
  if (!(error instanceof KeepsealError)) return undefined
  const { code, detail } = error
  if (code !== 'advisory.malformed' && code !== 'advisory.too-large') return undefined
  const name = (text: string | null | undefined): string | null => text?.slice(0, MAX_NAME) ?? null
  return {
    place: place.slice(0, MAX_PLACE),
    advisory: name(about.advisory),
    package: name(about.package),
    code,
    detail: (detail ?? 'unusable').slice(0, MAX_DETAIL),
  }
}

/** `total`: with those that are wrong. Error: that of the first of them, where they are too many. */
export function assertFewWrong(wrong: readonly WrongRecord[], total: number): void {
  const [first] = wrong
  if (first === undefined) return
  const isFew = wrong.length * 100 <= total * MOST_PERCENT || (wrong.length === 1 && total >= ONE_IN)
  if (isFew && wrong.length <= MOST) return
  throw tooManyWrong(wrong, first)
}

/** Before it is known how many there are in all. */
export function assertNotTooManyWrong(wrong: readonly WrongRecord[]): void {
  const [first] = wrong
  if (first !== undefined && wrong.length > MOST) throw tooManyWrong(wrong, first)
}

function tooManyWrong(wrong: readonly WrongRecord[], { place, code, detail }: WrongRecord): KeepsealError {
  const others = wrong.length === 1 ? '' : `, and ${wrong.length - 1} more that are wrong`
  return new KeepsealError(code, `${place}: ${detail}${others}`)
}
