import { DEFAULT_COLUMNS, type Terminal } from '../../shared/cli/terminal.ts'

export interface RecordedTerminal extends Terminal {
  /** What was written so far. */
  readonly stdout: () => string
  readonly stderr: () => string
}

/** A terminal that keeps what is written to it. */
export function recordTerminal(overrides: Partial<Pick<Terminal, 'columns' | 'isTty' | 'env'>> = {}): RecordedTerminal {
  let stdout = ''
  let stderr = ''
  return {
    write: (text) => void (stdout += text),
    error: (text) => void (stderr += text),
    columns: DEFAULT_COLUMNS,
    isTty: false,
    env: {},
    ...overrides,
    stdout: () => stdout,
    stderr: () => stderr,
  }
}
