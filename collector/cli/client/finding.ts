import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import type { Output } from '../../../shared/cli/output.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { advice, counted, paragraph, timeText, toneOf } from './text.ts'
import { watchable } from './watch/watchable.ts'

export const Finding = v.looseObject({
  id: v.string(),
  deviceUeid: v.string(),
  code: v.string(),
  title: v.string(),
  remedy: v.string(),
  severity: v.string(),
  state: v.string(),
  subject: v.string(),
  before: v.nullable(v.string()),
  after: v.nullable(v.string()),
  openedAt: v.string(),
  firstOpenedAt: v.string(),
  openings: v.number(),
  acknowledgement: v.nullable(v.looseObject({ by: v.string(), until: v.string(), reason: v.string() })),
  suppressedBy: v.nullable(v.string()),
})
export type Finding = v.InferOutput<typeof Finding>

/** Findings in full, for the page of a device or a case. */
export function describeFindings(findings: readonly Finding[], { style }: Pick<Output, 'style'>): string[] {
  const indent = '  '
  const inner = '    '
  return findings.flatMap((finding) => {
    const tone = toneOf(finding.severity)
    const severity = tone === undefined ? printable(finding.severity) : style(tone, printable(finding.severity))
    const change = [finding.before, finding.after].map((value) => (value === null ? 'nothing' : printable(value)))
    return [
      ...paragraph(indent, `${severity} ${printable(finding.code)}: ${printable(finding.title)}`),
      ...paragraph(inner, `${printable(finding.subject)}: ${change.join(' -> ')}`),
      ...paragraph(inner, `${printable(finding.state)} since ${printable(timeText(finding.openedAt))}`),
      ...aside(finding).flatMap((line) => paragraph(inner, line)),
      ...advice(inner, finding.remedy),
    ]
  })
}

/** What people have said about a finding: it is shown with it, and hides nothing. */
function aside({ id, openings, firstOpenedAt, acknowledgement, suppressedBy }: Finding): string[] {
  const again = openings > 1 ? [`opened ${openings} times since ${timeText(firstOpenedAt)}`] : []
  const known =
    acknowledgement === null ? [] : [`acknowledged until ${timeText(acknowledgement.until)}: ${acknowledgement.reason}`]
  const hushed = suppressedBy === null ? [] : [`suppressed by ${suppressedBy}`]
  return [...again, ...known, ...hushed, `id ${id}`].map(printable)
}

/** Under a list: how many of those that it shows do not act, and by how many exceptions. */
function suppressedText(findings: readonly Finding[]): string | undefined {
  const by = findings.flatMap(({ suppressedBy }) => suppressedBy ?? [])
  return by.length === 0 ? undefined : `${by.length} suppressed by ${counted(new Set(by).size, 'exception')}.`
}

const list = defineCommand({
  name: 'finding list',
  summary: 'List findings, newest first; without --state those that want an act',
  options: {
    ...listOptions,
    state: {
      description: 'unresolved (open or recovered), open, recovered, resolved, suspected or all.',
      value: choice(['unresolved', 'open', 'recovered', 'resolved', 'suspected', 'all']),
      placeholder: 'STATE',
    },
    device: { description: 'Of this device only.', value: text(34), placeholder: 'UEID' },
    product: { description: 'Of devices of this product only.', value: text(260), placeholder: 'PRODUCT' },
    code: { description: 'With this code only.', value: text(64), placeholder: 'CODE' },
  },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const { state = 'unresolved', device: deviceUeid, product, code, limit = DEFAULT_ITEMS } = options
    const productId = product === undefined ? undefined : await productIdOf(client, product)
    const query = { state: state === 'all' ? undefined : state, deviceUeid, productId, code }
    const listed = await client.list('/findings', query, Finding, limit)
    const columns = [
      { title: 'SEVERITY', style: toneOf },
      { title: 'STATE' },
      { title: 'CODE', shrinks: false },
      { title: 'SUBJECT', shrinks: false },
      // The first digits tell devices apart; the whole id is in --json and in device list.
      ...(deviceUeid === undefined ? [{ title: 'DEVICE' }] : []),
    ]
    // What somebody has put aside is told from what nobody has looked at.
    const stateText = ({ state: at, suppressedBy, acknowledgement }: Finding): string => {
      if (at !== 'open') return at
      return suppressedBy !== null ? 'suppressed' : acknowledgement !== null ? 'acknowledged' : at
    }
    const row = (each: Finding) => [each.severity, stateText(each), each.code, each.subject, each.deviceUeid]
    const none = `No finding${state === 'all' ? '' : ` is ${state}`}.`
    const exitCode = presentList(context, listed, columns, row, none)
    const suppressed = suppressedText(listed.items)
    if (suppressed !== undefined) terminal.error(`${suppressed}\n`)
    return exitCode
  },
})

export const findingCommands: readonly Command[] = [watchable(list)]
