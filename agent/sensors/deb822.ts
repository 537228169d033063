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

const NEWLINE = 10
const SPACE = 32
const TAB = 9
const HASH = 35
const COLON = 58

/**
 * Reads paragraphs in the syntax of deb822(5). A repeated wanted field keeps its first value. Continuation lines keep
 * their leading space and are joined by newlines. Looks at each line's first characters only, since most lines of a
 * package database are descriptions.
 */
export function* parseStanzas(text: string, { wanted, comments }: StanzaOptions): Generator<Stanza> {
  let fields = new Map<string, string>()
  let malformed = false
  let empty = true
  let open: string | undefined
  let inField = false
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const first = text.charCodeAt(start)
    if (first === NEWLINE || (isBlank(first) && text.slice(start, end).trim() === '')) {
      if (!empty) yield { fields, malformed }
      fields = new Map()
      malformed = false
      empty = true
      open = undefined
      inField = false
    } else if (comments && first === HASH) {
      // A comment may stand between the lines of one field.
    } else if (isBlank(first)) {
      empty = false
      if (!inField) malformed = true
      else if (open !== undefined) fields.set(open, `${fields.get(open) ?? ''}\n${text.slice(start, end)}`)
    } else {
      empty = false
      const colon = text.indexOf(':', start)
      inField = colon > start && colon < end && text.charCodeAt(start) !== COLON
      open = undefined
      if (!inField) malformed = true
      else {
        const name = text.slice(start, colon).toLowerCase()
        if (wanted.has(name)) {
          if (fields.has(name)) malformed = true
          else {
            open = name
            fields.set(name, text.slice(colon + 1, end).trim())
          }
        }
      }
    }
    start = end + 1
  }
  if (!empty) yield { fields, malformed }
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB || code === 13
