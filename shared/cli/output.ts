import { printableJson } from '../text/printable.ts'
import { table, type Column } from './table.ts'
import { styler, type Styler, type Terminal } from './terminal.ts'

/** What a command writes with. */
export interface Output {
  readonly terminal: Terminal
  /** Whether --json was given. */
  readonly json: boolean
  readonly style: Styler
  /** Writes a line of text to standard output. Foreign text in it must be `printable` already. */
  readonly print: (line: string) => void
  /** Writes the result of a reader: the value as JSON under --json, otherwise the text made for people. */
  readonly present: (value: unknown, text: () => string) => void
  /** A table that fits the terminal. */
  readonly table: (columns: readonly Column[], rows: readonly (readonly string[])[]) => string
}

export function createOutput(terminal: Terminal, json: boolean): Output {
  const style = styler(terminal)
  const withLineEnd = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)
  return {
    terminal,
    json,
    style,
    print: (line) => terminal.write(`${line}\n`),
    present: (value, text) => terminal.write(withLineEnd(json ? printableJson(value) : text())),
    table: (columns, rows) => table(columns, rows, { width: terminal.columns, style }),
  }
}
