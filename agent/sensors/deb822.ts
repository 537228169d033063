/** One stanza: the wanted fields by lower-case name. */
export interface Stanza {
  readonly fields: ReadonlyMap<string, string>
  /** A line is no field, a field stands twice, or a continuation stands first: the stanza cannot be relied on. */
  readonly malformed: boolean
}

export interface StanzaOptions {
  /** Lower-case names of the fields to keep. The others are only checked for form. */
  readonly wanted: ReadonlySet<string>
  /** Whether lines that begin with `#` are comments: in apt's sources they are, in dpkg's database they are not. */
  readonly comments: boolean
}

const SPACE = 32
const TAB = 9
const HASH = 35
const RETURN = 13
const COLON = 58

/**
 * Reads paragraphs in the syntax of deb822(5). A repeated wanted field keeps its first value. Continuation lines keep
 * their leading space. Looks at each line's first characters only, since most lines of a package database are
 * descriptions, and cuts a value out once, when its last line is known.
 */
export function* parseStanzas(text: string, options: StanzaOptions): Generator<Stanza> {
  let stanza = new StanzaBuilder(text, options)
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const first = text.charCodeAt(start)
    if (isEmptyLine(text, start, end)) {
      if (!stanza.empty) yield stanza.finish()
      stanza = new StanzaBuilder(text, options)
    } else if (options.comments && first === HASH) {
      // A comment may stand between the lines of one field.
    } else if (isBlank(first)) stanza.continuation(end)
    else stanza.field(start, end)
    start = end + 1
  }
  if (!stanza.empty) yield stanza.finish()
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB || code === RETURN

function isEmptyLine(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isBlank(text.charCodeAt(at))) return false
  return true
}

/** String.indexOf would search through the whole rest of a text whose lines have none. */
function indexOfColon(text: string, start: number, end: number): number {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) === COLON) return at
  return -1
}

class StanzaBuilder {
  empty = true
  readonly #text: string
  readonly #options: StanzaOptions
  readonly #fields = new Map<string, string>()
  #malformed = false
  /** Whether continuation lines have a field to continue, and where its value lies if it is wanted. */
  #inField = false
  #open: { name: string; start: number; end: number } | undefined

  constructor(text: string, options: StanzaOptions) {
    this.#text = text
    this.#options = options
  }

  field(start: number, end: number): void {
    this.empty = false
    this.#close()
    const colon = indexOfColon(this.#text, start, end)
    this.#inField = colon > start
    if (!this.#inField) {
      this.#malformed = true
      return
    }
    const name = this.#text.slice(start, colon).toLowerCase()
    if (!this.#options.wanted.has(name)) return
    if (this.#fields.has(name)) this.#malformed = true
    else this.#open = { name, start: colon + 1, end }
  }

  continuation(end: number): void {
    this.empty = false
    if (!this.#inField) this.#malformed = true
    if (this.#open !== undefined) this.#open.end = end
  }

  #close(): void {
    if (this.#open === undefined) return
    const { name, start, end } = this.#open
    const lines = this.#text.slice(start, end)
    const value = this.#options.comments && lines.includes('\n#') ? lines.replace(/\n#[^\n]*/g, '') : lines
    this.#fields.set(name, value.trim())
    this.#open = undefined
  }

  finish(): Stanza {
    this.#close()
    return { fields: this.#fields, malformed: this.#malformed }
  }
}
