import { wrap } from '../../../shared/cli/help.ts'
import type { StyleName } from '../../../shared/cli/terminal.ts'
import { printable } from '../../../shared/text/printable.ts'

/** How values look in the output for people. */

const TONES: Readonly<Record<string, StyleName>> = {
  affirming: 'green',
  conforming: 'green',
  'at-risk': 'yellow',
  unknown: 'yellow',
  drift: 'red',
  nonconforming: 'red',
  accepted: 'green',
  fresh: 'green',
  active: 'green',
  warning: 'yellow',
  'not-appraised': 'yellow',
  'recovered-unacknowledged': 'yellow',
  stale: 'yellow',
  pending: 'yellow',
  medium: 'yellow',
  contraindicated: 'red',
  refused: 'red',
  failed: 'red',
  silent: 'red',
  revoked: 'red',
  critical: 'red',
  high: 'red',
}

/** The colour of a word of ours; none for any other. */
export const toneOf = (cell: string): StyleName | undefined => TONES[cell]

/** Text for people is read in terminals of this width and in logs. */
const WIDTH = 80
const NAME_WIDTH = 13

/** Printable text over as many lines as it takes; those after the first stand further in. */
export function paragraph(indent: string, text: string): string[] {
  return wrap(text, WIDTH - indent.length - 2).map((line, index) => `${indent}${index === 0 ? '' : '  '}${line}`)
}

/** What to do next. A command in it gets a line of its own, whole, to be copied. */
export function advice(indent: string, remedy: string): string[] {
  const [text = '', ...commands] = `next: ${remedy}`.split(/(?<=:) (?=keepseal)/)
  return [...paragraph(indent, printable(text)), ...commands.map((command) => `${indent}  ${printable(command)}`)]
}

/** A named value of a thing that is shown, its further lines under the first. */
export function field(name: string, text: string): string[] {
  return wrap(text, WIDTH - NAME_WIDTH).map((line, index) => `${(index === 0 ? name : '').padEnd(NAME_WIDTH)}${line}`)
}

/** `1 exception`, `3 exceptions`. */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`

/** `2026-05-01T10:00:00.000Z` as people read it; a dash for never. */
export function timeText(time: string | null): string {
  return time === null ? '-' : time.replace('T', ' ').replace(/(\.\d+)?Z$/, 'Z')
}
