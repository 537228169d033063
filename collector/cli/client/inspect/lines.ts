import { wrap } from '../../../../shared/cli/help.ts'
import { printable } from '../../../../shared/text/printable.ts'

/** Lines for terminals of 80 columns and for logs. Nothing is left out, for people compare digests. */

const WIDTH = 80
export const LABEL_WIDTH = 16

/** Printable text at an indent; words that are longer than a line are broken. */
export function wrapped(text: string, indent: number): string[] {
  const width = WIDTH - indent
  return wrap(text, width)
    .flatMap((line) => cut(line, width))
    .map((line) => `${' '.repeat(indent)}${line}`)
}

/** A label with its text beside it, over as many lines as it takes. */
export function labelled(label: string, text: string): string[] {
  return wrapped(printable(text), LABEL_WIDTH).map(
    (line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line.slice(LABEL_WIDTH)}`,
  )
}

/** A digest behind `head`, on a second line where it is one of SHA-384 or longer. */
export function digestLines(head: string, digest: string): string[] {
  return cut(digest, WIDTH - head.length).map((part, index) => `${index === 0 ? head : ' '.repeat(head.length)}${part}`)
}

function cut(text: string, width: number): string[] {
  const parts: string[] = []
  for (let i = 0; i < text.length; i += width) parts.push(text.slice(i, i + width))
  return parts
}
