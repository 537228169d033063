import type { CommandContext } from '../../../shared/cli/command.ts'
import { exitCodes, type ExitCode } from '../../../shared/cli/exit-codes.ts'
import type { Column } from '../../../shared/cli/table.ts'
import { integer } from '../../../shared/config/value-types.ts'
import type { Listed } from './api.ts'
import { connectionOptions } from './settings.ts'

const MAX_ITEMS = 100_000

/** The options of every command that lists. */
export const listOptions = {
  ...connectionOptions,
  limit: { description: 'Most items to show; 100 without.', value: integer(1, MAX_ITEMS), placeholder: 'N' },
} as const

export const DEFAULT_ITEMS = 100

type Output = CommandContext<Record<never, never>, Record<never, never>>

/** Prints a list, in JSON with what is `beside` it; on standard error that there is more, or `none` with what to do about it. */
export function presentList<T>(
  { present, table, terminal }: Output,
  listed: Listed<T>,
  columns: readonly Column[],
  row: (item: T) => readonly string[],
  none: string,
  beside: Readonly<Record<string, unknown>> = {},
): ExitCode {
  const { items, more } = listed
  const empty = items.length === 0
  present({ items, more, ...beside }, () => (empty ? '' : table(columns, items.map(row))))
  if (empty) terminal.error(`${none}\n`)
  if (more) terminal.error(`There are more: use --limit ${items.length * 2} or larger.\n`)
  return exitCodes.good
}
