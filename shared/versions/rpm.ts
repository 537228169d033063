import { compareDigits, isDigit, isLetter, orderOf, type Order } from './digits.ts'

/** An rpm version taken apart: [epoch:]version[-release], rpm-version(7). */
export interface RpmVersion {
  /** Digits. A version without an epoch has epoch 0. */
  readonly epoch: string
  readonly version: string
  /** Undefined where there is none: that is older than any release, even an empty one. */
  readonly release: string | undefined
}

const MAX_LENGTH = 512

/**
 * Returns undefined for what no package can have: nothing, or blanks and control characters. rpm orders all else;
 * what is neither letter, digit, tilde nor caret only separates.
 */
export function parseRpmVersion(text: string): RpmVersion | undefined {
  if (text.length === 0 || text.length > MAX_LENGTH || /[\s\p{Cc}]/u.test(text)) return undefined
  const colon = /^\d*(?=:)/.exec(text)?.[0]
  const rest = colon === undefined ? text : text.slice(colon.length + 1)
  const hyphen = rest.lastIndexOf('-')
  const version = hyphen < 0 ? rest : rest.slice(0, hyphen)
  if (version === '') return undefined
  return { epoch: colon || '0', version, release: hyphen < 0 ? undefined : rest.slice(hyphen + 1) }
}

export function compareRpmVersions(a: RpmVersion, b: RpmVersion): Order {
  return (
    compareDigits(a.epoch, b.epoch) ||
    compareSegments(a.version, b.version) ||
    orderOf(Number(a.release !== undefined), Number(b.release !== undefined)) ||
    compareSegments(a.release ?? '', b.release ?? '')
  )
}

const TILDE = 0x7e
const CARET = 0x5e

const isAlphanumeric = (code: number): boolean => isDigit(code) || isLetter(code)
const isSeparator = (code: number): boolean => !isAlphanumeric(code) && code !== TILDE && code !== CARET

/** rpm-version(7), "Version comparison algorithm". `charCodeAt` gives NaN after the end, which equals no mark. */
function compareSegments(a: string, b: string): Order {
  let [i, j] = [0, 0]
  for (;;) {
    i = skip(a, i, isSeparator)
    j = skip(b, j, isSeparator)
    const [markA, markB] = [a.charCodeAt(i), b.charCodeAt(j)]
    // A tilde sorts before everything, the end included.
    if (markA === TILDE || markB === TILDE) {
      if (markA !== TILDE) return 1
      if (markB !== TILDE) return -1
      i += 1
      j += 1
      continue
    }
    // A caret sorts after the end, and before everything else.
    if (markA === CARET || markB === CARET) {
      if (i >= a.length) return -1
      if (j >= b.length) return 1
      if (markA !== CARET) return 1
      if (markB !== CARET) return -1
      i += 1
      j += 1
      continue
    }
    if (i >= a.length || j >= b.length) return orderOf(a.length - i, b.length - j)
    const ofDigits = isDigit(markA)
    // A number is newer than letters.
    if (ofDigits !== isDigit(markB)) return ofDigits ? 1 : -1
    const kind = ofDigits ? isDigit : isLetter
    const [endA, endB] = [skip(a, i, kind), skip(b, j, kind)]
    const [partA, partB] = [a.slice(i, endA), b.slice(j, endB)]
    const order = ofDigits ? compareDigits(partA, partB) : orderOf(partA, partB)
    if (order !== 0) return order
    i = endA
    j = endB
  }
}

function skip(text: string, start: number, kind: (code: number) => boolean): number {
  let at = start
  while (at < text.length && kind(text.charCodeAt(at))) at += 1
  return at
}
