import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import type { Output } from '../../../shared/cli/output.ts'
import type { StyleName } from '../../../shared/cli/terminal.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { connectionOptions } from './settings.ts'
import { counted, paragraph, timeText, toneOf } from './text.ts'
import { watchable } from './watch/watchable.ts'

const Change = v.looseObject({
  ueid: v.string(),
  model: v.string(),
  serial: v.string(),
  at: v.string(),
  axis: v.string(),
  from: v.nullable(v.string()),
  to: v.string(),
})

const Fleet = v.looseObject({
  deviceCount: v.number(),
  good: v.number(),
  goodWithCertifiedTpm: v.number(),
  notCovered: v.number(),
  standings: v.record(v.string(), v.number()),
  products: v.array(
    v.looseObject({
      vendor: v.string(),
      model: v.string(),
      releases: v.array(v.looseObject({ name: v.nullable(v.string()), deviceCount: v.number() })),
    }),
  ),
  changes: v.looseObject({ since: v.string(), truncated: v.boolean(), newest: v.array(Change) }),
})
type Fleet = v.InferOutput<typeof Fleet>

const BAR = 20

const standingTone = (cell: string): StyleName | undefined =>
  cell === 'good' ? 'green' : cell === 'drifted' ? 'yellow' : toneOf(cell)

/** How far each release has come among the devices of its product. */
function rollout({ products }: Fleet, table: Output['table']): string {
  const rows = products.flatMap(({ vendor, model, releases }) => {
    const all = releases.reduce((sum, { deviceCount }) => sum + deviceCount, 0)
    return releases.map(({ name, deviceCount }) => {
      const share = all === 0 ? 0 : deviceCount / all
      const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.')
      return [`${vendor} ${model}`, name ?? '(none)', String(deviceCount), `${bar} ${Math.floor(share * 100)} %`]
    })
  })
  const columns = [
    { title: 'PRODUCT' },
    { title: 'RELEASE' },
    { title: 'DEVICES', align: 'right' as const },
    { title: 'ROLL-OUT', shrinks: false },
  ]
  return rows.length === 0 ? '' : `\n${table(columns, rows)}`
}

function changed({ changes }: Fleet, table: Output['table']): string {
  const { newest, truncated } = changes
  if (newest.length === 0) return '\nNothing has changed within a day.\n'
  const columns = [{ title: 'CHANGED', shrinks: false }, { title: 'DEVICE' }, { title: 'SERIAL' }, { title: 'HOW' }]
  const rows = newest.map(({ at, ueid, serial, axis, from, to }) => [
    `${timeText(at).slice(0, 16)}Z`,
    ueid,
    serial,
    `${axis} ${from ?? '-'} -> ${to}`,
  ])
  return `\n${table(columns, rows)}${truncated ? 'There are more: device history UEID.\n' : ''}`
}

const status = defineCommand({
  name: 'fleet status',
  summary: 'Show how much of the fleet is proven good, the roll-out, and what has changed',
  examples: ['keepseal fleet status --watch'],
  options: connectionOptions,
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const fleet = await connect(options, terminal.env).get('/fleet', Fleet)
    const { good, deviceCount, goodWithCertifiedTpm, notCovered, standings } = fleet
    const first =
      `${good} of ${counted(deviceCount, 'device')} proven good, ${goodWithCertifiedTpm} of them with a certified TPM; ` +
      `${notCovered} not covered by a certificate.`
    const rows = Object.entries(standings)
      .filter(([, count]) => count > 0)
      .map(([standing, count]) => [standing, String(count)])
    const columns = [
      { title: 'STANDING', style: standingTone },
      { title: 'DEVICES', align: 'right' as const },
    ]
    present(
      fleet,
      () =>
        `${paragraph('', printable(first)).join('\n')}\n` +
        (rows.length === 0 ? '' : `\n${table(columns, rows)}`) +
        rollout(fleet, table) +
        changed(fleet, table),
    )
    if (deviceCount === 0) terminal.error('No device takes part yet: keepseal token create --product PRODUCT\n')
    return exitCodes.good
  },
})

export const fleetCommands: readonly Command[] = [watchable(status, { volatile: ['since'] })]
