import { compareDigits, isDigit, orderOf, type Order } from './digits.ts'

/** A version taken apart, Semantic Versioning 2.0.0. What follows a plus has no part in the order (section 10). */
export interface SemanticVersion {
  readonly numbers: readonly [string, string, string]
  readonly prerelease: readonly string[]
}

const MAX_LENGTH = 512
const NUMBER = '(0|[1-9][0-9]*)'
const VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
)

/** Returns undefined for what is no semantic version, one with a leading `v` included (section 9, FAQ). */
export function parseSemanticVersion(text: string): SemanticVersion | undefined {
  const match = text.length > MAX_LENGTH ? null : VERSION.exec(text)
  if (match === null) return undefined
  const [, major = '', minor = '', patch = '', suffix] = match
  const prerelease = suffix === undefined ? [] : suffix.split('.')
  // No empty identifiers, no leading zeros in numbers (section 9).
  if (prerelease.some((part) => part === '' || /^0[0-9]+$/.test(part))) return undefined
  return { numbers: [major, minor, patch], prerelease }
}

/** Section 11. */
export function compareSemanticVersions(a: SemanticVersion, b: SemanticVersion): Order {
  const order =
    compareDigits(a.numbers[0], b.numbers[0]) ||
    compareDigits(a.numbers[1], b.numbers[1]) ||
    compareDigits(a.numbers[2], b.numbers[2])
  if (order !== 0) return order
  // A version is newer than its own pre-releases.
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return orderOf(b.prerelease.length, a.prerelease.length)
  for (let at = 0; at < a.prerelease.length && at < b.prerelease.length; at++) {
    const difference = compareIdentifiers(a.prerelease[at] ?? '', b.prerelease[at] ?? '')
    if (difference !== 0) return difference
  }
  return orderOf(a.prerelease.length, b.prerelease.length)
}

function compareIdentifiers(a: string, b: string): Order {
  const [aIsNumber, bIsNumber] = [isNumber(a), isNumber(b)]
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1
  return aIsNumber ? compareDigits(a, b) : orderOf(a, b)
}

const isNumber = (text: string): boolean => [...text].every((character) => isDigit(character.charCodeAt(0)))
