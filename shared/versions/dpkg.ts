import { compareDigits, isDigit, isLetter, orderOf, type Order } from './digits.ts'

/** A Debian version taken apart, deb-version(7). opkg orders its versions by the same rules, and checks them less. */
export interface DpkgVersion {
  readonly epoch: number
  readonly upstream: string
  readonly revision: string
}

const MAX_LENGTH = 512
const MAX_EPOCH = 0x7fff_ffff
const UPSTREAM = /^[A-Za-z0-9.+~:-]+$/
const REVISION = /^[A-Za-z0-9.+~]+$/

/**
 * Returns undefined for what deb-version(7) does not allow. An upstream version that does not begin with a digit is
 * accepted: dpkg warns of it, and orders it all the same.
 */
export function parseDpkgVersion(text: string): DpkgVersion | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const colon = text.indexOf(':')
  const epochText = colon < 0 ? '0' : text.slice(0, colon)
  if (!/^\d+$/.test(epochText)) return undefined
  const epoch = Number(epochText)
  const rest = text.slice(colon + 1)
  const hyphen = rest.lastIndexOf('-')
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen)
  // Without a revision the version compares as with revision 0: both are the empty text to the rule below.
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1)
  if (epoch > MAX_EPOCH || !UPSTREAM.test(upstream) || (hyphen >= 0 && !REVISION.test(revision))) return undefined
  return { epoch, upstream, revision }
}

const OPKG_TEXT = /^[^\s\p{Cc}]+$/u

/**
 * opkg takes an epoch and a revision off as dpkg does, and looks at no character of the rest: of vendors' own packages
 * there are versions with underscores and others.
 */
export function parseOpkgVersion(text: string): DpkgVersion | undefined {
  if (text.length > MAX_LENGTH || !OPKG_TEXT.test(text)) return undefined
  const colon = text.indexOf(':')
  const epochText = colon < 0 ? '0' : text.slice(0, colon)
  if (!/^\d+$/.test(epochText) || Number(epochText) > MAX_EPOCH) return undefined
  const rest = text.slice(colon + 1)
  const hyphen = rest.lastIndexOf('-')
  const [upstream, revision] = hyphen < 0 ? [rest, ''] : [rest.slice(0, hyphen), rest.slice(hyphen + 1)]
  return upstream === '' ? undefined : { epoch: Number(epochText), upstream, revision }
}

export function compareDpkgVersions(a: DpkgVersion, b: DpkgVersion): Order {
  return orderOf(a.epoch, b.epoch) || compareParts(a.upstream, b.upstream) || compareParts(a.revision, b.revision)
}

/** deb-version(7), "Sorting algorithm": a run of non-digits, a run of digits, and so on to the end of both. */
function compareParts(a: string, b: string): Order {
  if (a === b) return 0
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    // At its end, or at a digit, a text weighs less than any letter and more than a tilde.
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const order = orderOf(weight(a.charCodeAt(i)), weight(b.charCodeAt(j)))
      if (order !== 0) return order
      i += 1
      j += 1
    }
    const [endA, endB] = [endOfDigits(a, i), endOfDigits(b, j)]
    const order = compareDigits(a.slice(i, endA), b.slice(j, endB))
    if (order !== 0) return order
    i = endA
    j = endB
  }
  return 0
}

const TILDE = 0x7e

/** Letters before all other characters, a tilde before even the end. `charCodeAt` gives NaN after the end. */
function weight(code: number): number {
  if (Number.isNaN(code) || isDigit(code)) return 0
  if (code === TILDE) return -1
  return isLetter(code) ? code : code + 256
}

function endOfDigits(text: string, start: number): number {
  let at = start
  while (at < text.length && isDigit(text.charCodeAt(at))) at += 1
  return at
}
