import * as fc from 'fast-check'

const digits = fc.oneof(
  fc.constantFrom('0', '1', '00', '01', '10', '9', '20260101123456789012'),
  fc.nat(30).map(String),
)
const letters = fc.constantFrom('a', 'b', 'ab', 'rc', 'Z', 'git')

/** Joins parts that are drawn from few, so that neighbours are often equal, or differ in one place alone. */
const joined = (separators: readonly string[], parts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(parts, fc.constantFrom(...separators)), { minLength: 1, maxLength: 4 })
    .map((list) => list.map(([part, separator], index) => (index === 0 ? part : separator + part)).join(''))

const optional = (prefix: string, text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.option(text, { nil: undefined, freq: 2 }).map((value) => (value === undefined ? '' : prefix + value))

const concat = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.join(''))

const epoch = fc.constantFrom('', '', '', '0:', '1:', '01:', '2:')

const plainNumber = fc.oneof(fc.constantFrom('0', '1', '20260101123456789012'), fc.nat(30).map(String))
const joinedNumbers = fc.tuple(plainNumber, plainNumber, plainNumber).map((three) => three.join('.'))

/** Versions of each scheme that its package manager accepts. */
export const versions = {
  dpkg: concat(
    epoch,
    digits,
    optional('', joined(['.', '~', '+', '-', '', '~~'], fc.oneof(digits, letters))),
    optional('-', joined(['.', '~', '+', ''], fc.oneof(digits, letters))),
  ),
  rpm: concat(
    epoch,
    joined(['.', '~', '^', '_', '', '+', '..', '~^', '^~'], fc.oneof(digits, letters)),
    fc.constantFrom('', '', '.', '~', '^'),
    optional('-', joined(['.', '~', '^', '_', ''], fc.oneof(digits, letters))),
  ),
  apk: concat(
    digits,
    optional('.', joined(['.'], digits)),
    fc.constantFrom('', '', '', 'a', 'b', 'r'),
    optional('_', joined(['_'], concat(fc.constantFrom('alpha', 'pre', 'rc', 'cvs', 'p'), optional('', digits)))),
    optional('~', fc.constantFrom('0a', 'a0', 'f')),
    optional('-r', digits),
  ),
  opkg: concat(
    epoch,
    digits,
    optional('', joined(['.', '~', '+', '-', '_', '', '~~'], fc.oneof(digits, letters))),
    optional('-', joined(['.', '~', '_', ''], fc.oneof(digits, letters))),
  ),
  semver: concat(
    joinedNumbers,
    optional('-', joined(['.'], fc.oneof(plainNumber, letters, fc.constantFrom('0a', 'alpha-1', '-')))),
    optional('+', joined(['.'], fc.oneof(digits, letters))),
  ),
  pep440: concat(
    fc.constantFrom('', '', 'v', '1!', '0!'),
    joined(['.'], digits),
    optional('', concat(fc.constantFrom('a', 'b', 'rc', '-alpha.', '_c', '.pre'), optional('', plainNumber))),
    optional('', concat(fc.constantFrom('.post', '-r', 'rev', '-1'), optional('', plainNumber))),
    optional('.dev', optional('', plainNumber)),
    optional('+', joined(['.', '-'], fc.constantFrom('a', '1', '01', 'x2'))),
  ),
} as const
