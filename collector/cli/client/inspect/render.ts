import type { Output } from '../../../../shared/cli/output.ts'
import type { ReportLine } from '../../../../shared/inspect/report.ts'
import { printable } from '../../../../shared/text/printable.ts'

/** Fields one below the other, long values on a line of their own: nothing is cut, for people compare digests. */
export function renderLines({ terminal, style }: Output, lines: readonly ReportLine[]): string {
  const width = Math.min(28, Math.max(...lines.map(({ path }) => path.length)))
  return lines
    .map(({ path, value, meaning }) => {
      const head = `${path.padEnd(width)}  `
      const text = printable(value)
      const fits = head.length + text.length + meaning.length + 2 <= terminal.columns
      if (fits) return `${head}${text}  ${style('dim', meaning)}`
      return `${head}${style('dim', meaning)}\n${wrap(text, terminal.columns - 4)}`
    })
    .join('\n')
}

function wrap(text: string, width: number): string {
  const parts: string[] = []
  for (let i = 0; i < text.length; i += width) parts.push(`    ${text.slice(i, i + width)}`)
  return parts.join('\n')
}

export function renderProblems(
  { style }: Output,
  problems: readonly { readonly code: string; readonly detail: string }[],
): string {
  return problems.map(({ code, detail }) => `${style('red', 'wrong')}: ${printable(detail)} (${code})`).join('\n')
}
