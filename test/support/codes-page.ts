import { errors } from '../../shared/codes/errors.ts'
import { findings } from '../../shared/codes/findings.ts'
import { outcomes } from '../../shared/codes/outcomes.ts'
import type { CodeEntry } from '../../shared/codes/registry.ts'

const INTRODUCTION = `# Codes

Everything that Keepseal says about a device, and everything that it refuses, has a code of the form \`area.reason\`.
Codes are stable: programs may rely on them, in the JSON of the API and the command line, in the \`type\` of a problem
document, in receipts and in logs. Titles are for people and may be reworded.

This page is made from the code tables in \`shared/codes\`. After a change there, run the unit tests once with
\`KEEPSEAL_UPDATE_DOCS=1\`.
`

const OUTCOMES = `## Outcomes

What the appraisal of a message from a device ended in, when the device or its message was at fault. An outcome is
recorded, counted and answered in a receipt; the same bytes would end the same way, so they are not sent again.
`

const FINDINGS = `## Findings

One deviation of one device. Integrity findings latch: good evidence afterwards does not close them, a person does.
Posture findings follow what is measured. Reporting findings are about the reports themselves. The trigger is the
reassessment trigger of the security-maturity practice model that a finding belongs to.
`

const ERRORS = `## Errors

What an operator, an API client or this software itself is responsible for. An error is never a verdict on a device.
`

/** docs/codes.md, as \`prettier\` would write it. */
export function codesPage(): string {
  const code = (name: string): string => `\`${name}\``
  const plain = (table: Readonly<Record<string, CodeEntry>>): string =>
    markdownTable(
      ['Code', 'Meaning', 'What to do'],
      Object.entries(table).map(([name, { title, remedy }]) => [code(name), title, remedy]),
    )
  const findingTable = markdownTable(
    ['Code', 'Axis', 'Severity', 'Trigger', 'Meaning', 'What to do'],
    Object.entries(findings).map(([name, { axis, severity, trigger, title, remedy }]) => {
      return [code(name), axis, severity, trigger, title, remedy]
    }),
  )
  return [INTRODUCTION, OUTCOMES, plain(outcomes), FINDINGS, findingTable, ERRORS, plain(errors)].join('\n')
}

/** Every column as wide as its widest cell. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) =>
    row.map((cell) => cell.replaceAll('|', String.raw`\|`).replaceAll('_', String.raw`\_`)),
  )
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (row[i] ?? '').padEnd(width)).join(' | ')} |\n`
  return [titles, widths.map((width) => '-'.repeat(width)), ...cells].map(line).join('')
}
