import { KeepsealError } from '../errors.ts'

/** One thing that is wrong with a configuration, and where. */
export interface ConfigProblem {
  readonly code: 'config.unknown-key' | 'config.invalid-value' | 'config.unreadable' | 'config.syntax'
  /** A file (with line and column for a syntax error), `environment` or a flag. */
  readonly place: string
  /** The option as it was written there, where the problem is with one. */
  readonly name?: string
  readonly message: string
}

/** Everything that is wrong with a configuration, at once: nobody should have to start a service five times. */
export class ConfigurationError extends KeepsealError {
  readonly problems: readonly ConfigProblem[]
  /** A line for each problem when there are several; a single one is in the message itself. */
  readonly details: readonly string[]

  constructor(problems: readonly [ConfigProblem, ...ConfigProblem[]]) {
    const lines = problems.map(({ place, message }) => `${place}: ${message}`)
    if (problems.length === 1) super(problems[0].code, lines[0])
    else super('config.several-problems', String(problems.length))
    this.name = 'ConfigurationError'
    this.problems = problems
    this.details = problems.length === 1 ? [] : lines
  }
}
