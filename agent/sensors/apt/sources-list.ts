import { parseStanzas } from '../deb822.ts'
import { OPTION_NAMES, optionValue, type SourceEntry } from './source.ts'

export interface SourceEntries {
  readonly entries: readonly SourceEntry[]
  readonly malformed: number
}

/** One-line style: `deb [ option=value ... ] uri suite component...`, sources.list(5). */
export function parseOneLineSources(text: string): SourceEntries {
  const entries: SourceEntry[] = []
  let malformed = 0
  for (const line of text.split('\n')) {
    const words = splitWords(line)
    if (words.length === 0) continue
    const entry = oneLineEntry(words)
    if (entry === undefined) malformed += 1
    else entries.push(entry)
  }
  return { entries, malformed }
}

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '"': '"' }

/** Words are separated by blanks, except within brackets and quotes. A `#` outside of them begins a comment. */
function splitWords(line: string): string[] {
  const words: string[] = []
  let start = -1
  let at = 0
  for (; at < line.length && line.charAt(at) !== '#'; at++) {
    const character = line.charAt(at)
    if (character.trim() === '') {
      if (start >= 0) words.push(line.slice(start, at))
      start = -1
      continue
    }
    if (start < 0) start = at
    const closing = CLOSING[character]
    const closed = closing === undefined ? at : line.indexOf(closing, at + 1)
    // What is opened and never closed: one word up to the end, which no rule for words accepts.
    at = closed < 0 ? line.length - 1 : closed
  }
  if (start >= 0) words.push(line.slice(start, at))
  return words
}

/** Undefined for a word with an open bracket or quote. */
function unquote(word: string): string | undefined {
  const isOpen = word.lastIndexOf('[') > word.lastIndexOf(']') || (word.split('"').length - 1) % 2 === 1
  return isOpen ? undefined : word.replaceAll('"', '')
}

function oneLineEntry([type = '', ...rest]: readonly string[]): SourceEntry | undefined {
  const bracket = rest[0]?.startsWith('[') ? rest[0] : undefined
  const words = (bracket === undefined ? rest : rest.slice(1)).map(unquote)
  const [uri, suite, ...components] = words.filter((word) => word !== undefined)
  const options = bracket === undefined ? new Map<string, string>() : readOptions(bracket)
  if (words.includes(undefined) || uri === undefined || suite === undefined || options === undefined) return undefined
  return { types: [type], uris: [uri], suites: [suite], components, options }
}

/** apt-pkg, ParseQuoteWord: a byte may be written as a percent sign and two digits. */
const unescape = (word: string): string =>
  word.replace(/%([\da-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))

function readOptions(bracket: string): Map<string, string> | undefined {
  if (!bracket.endsWith(']')) return undefined
  const options = new Map<string, string>()
  for (const written of bracket.slice(1, -1).split(/\s+/)) {
    if (written === '') continue
    const word = unescape(written.replaceAll('"', ''))
    const equals = word.indexOf('=')
    if (equals <= 0) return undefined
    // `option+=value` and `option-=value` change a list; for the options of interest here there is none to change.
    const name = word.slice(0, equals).replace(/[+-]$/, '').toLowerCase()
    options.set(name, word.slice(equals + 1))
  }
  return options
}

const FIELDS: ReadonlySet<string> = new Set([
  'types',
  'uris',
  'suites',
  'components',
  'enabled',
  'signed-by',
  ...OPTION_NAMES,
])

/** deb822 style, sources.list(5). Entries that are switched off are left out. */
export function parseDeb822Sources(text: string): SourceEntries {
  const entries: SourceEntry[] = []
  let malformed = 0
  for (const { fields, malformed: isMalformed } of parseStanzas(text, { wanted: FIELDS, comments: true })) {
    const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '')
    if (isMalformed) malformed += 1
    else if (optionValue(fields.get('enabled')) !== 'no') {
      entries.push({
        types: words('types'),
        uris: words('uris'),
        suites: words('suites'),
        components: words('components'),
        options: fields,
      })
    }
  }
  return { entries, malformed }
}
