/** Where a program writes. Everything that came from outside goes through `printable` before it gets here. */
export interface Terminal {
  /** Standard output: results. */
  readonly write: (text: string) => void
  /** Standard error: errors and progress. */
  readonly error: (text: string) => void
  readonly columns: number
  /** Whether standard output is a terminal. */
  readonly isTty: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

interface OutputStream {
  write(text: string): unknown
  readonly columns?: number
  readonly isTTY?: boolean
}

/** What is used of Node's `process`. */
export interface ProcessStreams {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
}

export const DEFAULT_COLUMNS = 80

/** The terminal of a running process. */
export function processTerminal({ stdout, stderr, env }: ProcessStreams): Terminal {
  const columns = stdout.columns
  return {
    write: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
    columns: columns !== undefined && columns > 0 ? columns : DEFAULT_COLUMNS,
    isTty: stdout.isTTY === true,
    env,
  }
}

/** Select Graphic Rendition parameters (ECMA-48, 8.3.117). */
const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const

export type StyleName = keyof typeof STYLES

/** Puts a style around printable text; changes nothing where there are no colours. */
export type Styler = (style: StyleName, text: string) => string

/** Colours on a terminal that has them, unless NO_COLOR (https://no-color.org) is set to anything. */
export function styler(terminal: Terminal): Styler {
  const { NO_COLOR: noColor, TERM: type } = terminal.env
  const coloured = terminal.isTty && (noColor === undefined || noColor === '') && type !== 'dumb'
  return coloured ? (style, text) => `\u001b[${STYLES[style]}m${text}\u001b[0m` : (_, text) => text
}
