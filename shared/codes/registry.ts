/** What every code carries besides its name: a title for people and what to do next. */
export interface CodeEntry {
  readonly title: string
  readonly remedy: string
}

/** Keeps the literal names of a code table as a closed union while holding every entry to one shape. */
export function defineCodes<const T extends Record<string, CodeEntry>>(table: T): Readonly<T> {
  return Object.freeze(table)
}
