import { compareDigits, orderOf, type Order } from './digits.ts'

/** What may follow each other in an Alpine version, in the order in which apk ranks them (apk-tools 3, version.c). */
const KINDS = ['first-number', 'number', 'letter', 'suffix', 'suffix-number', 'commit', 'revision', 'end'] as const
type Kind = (typeof KINDS)[number]

const RANK = Object.fromEntries(KINDS.map((kind, rank) => [kind, rank])) as Readonly<Record<Kind, number>>

/** Suffixes from oldest to newest. Those before the empty one make a version older than without any. */
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'] as const
const NO_SUFFIX = SUFFIXES.indexOf('')

interface Token {
  readonly kind: Kind
  readonly text: string
}

/** An Alpine version: number{.number}{letter}{_suffix{number}}{~commit}{-rnumber}, apk-package(5). */
export interface ApkVersion {
  readonly tokens: readonly Token[]
}

const MAX_LENGTH = 512
const VERSION =
  /^(\d+)((?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~([0-9a-f]+))?(?:-r(\d+))?$/

/** Returns undefined for what `apk version --check` calls invalid. */
export function parseApkVersion(text: string): ApkVersion | undefined {
  const match = text.length > MAX_LENGTH ? null : VERSION.exec(text)
  if (match === null) return undefined
  const [, first = '', numbers = '', letter = '', suffixes = '', commit, revision] = match
  const tokens: Token[] = [{ kind: 'first-number', text: first }]
  for (const number of numbers.split('.').slice(1)) tokens.push({ kind: 'number', text: number })
  if (letter !== '') tokens.push({ kind: 'letter', text: letter })
  for (const suffix of suffixes.split('_').slice(1)) {
    const name = suffix.replace(/\d+$/, '')
    tokens.push({ kind: 'suffix', text: name })
    if (name !== suffix) tokens.push({ kind: 'suffix-number', text: suffix.slice(name.length) })
  }
  if (commit !== undefined) tokens.push({ kind: 'commit', text: commit })
  if (revision !== undefined) tokens.push({ kind: 'revision', text: revision })
  return { tokens }
}

const END: Token = { kind: 'end', text: '' }

export function compareApkVersions(a: ApkVersion, b: ApkVersion): Order {
  for (let at = 0; ; at++) {
    const [one, other] = [a.tokens[at] ?? END, b.tokens[at] ?? END]
    const order = one.kind === other.kind ? compareTokens(one, other) : compareKinds(one, other)
    if (order !== 0 || one.kind === 'end') return order
  }
}

function compareTokens(a: Token, b: Token): Order {
  switch (a.kind) {
    case 'number':
      // As fractions: 1.06 is older than 1.1.
      return a.text.startsWith('0') || b.text.startsWith('0') ? orderOf(a.text, b.text) : compareDigits(a.text, b.text)
    case 'first-number':
    case 'suffix-number':
    case 'revision':
      return compareDigits(a.text, b.text)
    case 'suffix':
      return orderOf(suffixRank(a), suffixRank(b))
    default:
      return orderOf(a.text, b.text)
  }
}

/** Where one ends or goes on in another way: the longer is newer, unless by a suffix that means "before". */
function compareKinds(a: Token, b: Token): Order {
  if (isBefore(a)) return -1
  if (isBefore(b)) return 1
  return orderOf(RANK[b.kind], RANK[a.kind])
}

const suffixRank = ({ text }: Token): number => SUFFIXES.findIndex((suffix) => suffix === text)
const isBefore = (token: Token): boolean => token.kind === 'suffix' && suffixRank(token) < NO_SUFFIX
