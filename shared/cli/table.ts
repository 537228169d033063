import { displayWidth, printable, truncate } from '../text/printable.ts'
import type { StyleName, Styler } from './terminal.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** False for what is useless when cut (ids to be copied): such a column gives way only after all others. */
  readonly shrinks?: boolean
  /** The style of a cell, by its text. */
  readonly style?: (cell: string) => StyleName | undefined
}

const GAP = '  '
const LEAST_WIDTH = 6

/** Rows under titles, within `width` cells: the widest column gives way first. Cells are made printable here. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, style }: { readonly width: number; readonly style: Styler },
): string {
  const cells = rows.map((row) => columns.map((_, index) => printable(row[index] ?? '')))
  const natural = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...cells.map((row) => displayWidth(row[index] ?? ''))),
  )
  const widths = fit(natural, columns, width - GAP.length * (columns.length - 1))
  const line = (texts: readonly string[], styleOf: (column: Column, cell: string) => StyleName | undefined): string =>
    columns
      .map((column, index) => {
        const full = texts[index] ?? ''
        const text = truncate(full, widths[index] ?? 0)
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(text)))
        const name = styleOf(column, full)
        const styled = name === undefined ? text : style(name, text)
        return column.align === 'right' ? padding + styled : styled + padding
      })
      .join(GAP)
      .trimEnd()
  const titles = columns.map(({ title }) => title)
  return [
    line(titles, () => 'bold'),
    ...cells.map((row) => line(row, ({ style: styleOf }, cell) => styleOf?.(cell))),
    '',
  ].join('\n')
}

/** Takes from the widest column until the sum fits: first from those that may shrink, in the end from any. */
function fit(natural: readonly number[], columns: readonly Column[], available: number): number[] {
  const widths = [...natural]
  const shrinkable = (index: number): boolean => columns[index]?.shrinks !== false
  const passes: ((index: number) => boolean)[] = [
    (index) => shrinkable(index) && (widths[index] ?? 0) > LEAST_WIDTH,
    (index) => (widths[index] ?? 0) > LEAST_WIDTH,
    (index) => (widths[index] ?? 0) > 1,
  ]
  let excess = widths.reduce((sum, each) => sum + each, 0) - available
  for (const mayGive of passes) {
    while (excess > 0) {
      const widest = widestOf(widths, mayGive)
      if (widest === undefined) break
      widths[widest] = (widths[widest] ?? 0) - 1
      excess -= 1
    }
  }
  return widths
}

function widestOf(widths: readonly number[], mayGive: (index: number) => boolean): number | undefined {
  let widest: number | undefined
  for (const [index, width] of widths.entries()) {
    if (mayGive(index) && (widest === undefined || width > (widths[widest] ?? 0))) widest = index
  }
  return widest
}
