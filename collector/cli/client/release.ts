import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text, type ValueType } from '../../../shared/config/value-types.ts'
import { checkedTime } from './time-option.ts'
import { connect } from './api.ts'
import { productIdOf } from './product-reference.ts'
import { pathOfRelease, Release, releaseArgument, releaseIdOf, ReleaseList } from './release-reference.ts'
import { describeRelease, nextStep, ReleaseDetail } from './release-view.ts'
import { connectionOptions } from './settings.ts'
import { advice, timeText, toneOf } from './text.ts'
import { watchable } from './watch/watchable.ts'

const seenOption = {
  description: 'First digits of its digest, as `release show` gives them: refuse when it is another one by now.',
  value: text(64),
  placeholder: 'DIGEST',
  required: true,
} as const

const list = defineCommand({
  name: 'release list',
  summary: 'List the releases of a product, newest first, with how many devices run each',
  arguments: { product: { description: 'Its id, its model, or VENDOR/MODEL.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { product }, terminal, present, table }) => {
    const client = connect(options, terminal.env)
    const listed = await client.get(`/products/${await productIdOf(client, product)}/releases`, ReleaseList)
    const columns = [
      { title: 'RELEASE', shrinks: false },
      { title: 'STATE', style: toneOf },
      { title: 'ACCEPTED' },
      { title: 'DEVICES', align: 'right' as const },
      { title: 'APPROVED BY' },
    ]
    const rows = listed.items.map((each) => [
      each.name,
      each.state,
      each.standing === 'accepted'
        ? each.acceptedUntil === null
          ? 'yes'
          : `until ${timeText(each.acceptedUntil).slice(0, 16)}Z`
        : 'no',
      String(each.deviceCount),
      each.approved?.by ?? '-',
    ])
    present(listed, () => (rows.length === 0 ? '' : table(columns, rows)))
    if (rows.length === 0) terminal.error('There is no release yet: keepseal release capture PRODUCT NAME UEID…\n')
    else if (listed.otherDevices > 0) terminal.error(`${listed.otherDevices} devices are of no single release.\n`)
    return exitCodes.good
  },
})

const show = defineCommand({
  name: 'release show',
  summary: 'Show one release with what was decided about it',
  description: ['What it expects of devices is shown by `release export`, and what changed by `release diff`.'],
  arguments: { release: releaseArgument },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { release }, terminal, present, style }) => {
    const client = connect(options, terminal.env)
    const shown = await client.get(pathOfRelease(await releaseIdOf(client, release)), ReleaseDetail)
    const next = nextStep(shown)
    present(shown, () =>
      [
        ...describeRelease(shown, { style }, shown.history),
        ...(next === undefined ? [] : ['', ...advice('', next)]),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

/** A decision about a release, which is shown as it is afterwards. */
function decision(name: string, summary: string, description: readonly string[]): Command {
  return defineCommand({
    name: `release ${name}`,
    summary,
    description,
    arguments: { release: releaseArgument },
    options: { ...connectionOptions, seen: seenOption },
    json: true,
    run: async ({ options, arguments: { release }, terminal, present, style }) => {
      const client = connect(options, terminal.env)
      const path = pathOfRelease(await releaseIdOf(client, release))
      const decided = await client.post(`${path}/${name}`, { seen: options.seen }, Release)
      const next = nextStep(decided)
      present(decided, () =>
        [...describeRelease(decided, { style }), ...(next === undefined ? [] : ['', ...advice('', next)])].join('\n'),
      )
      return exitCodes.good
    },
  })
}

const approve = decision('approve', 'Approve a draft that another person has written', [
  'Look at it first: release diff RELEASE BEFORE, and release diff RELEASE --fleet. Nobody approves what he has written.',
])

const countersign = decision('countersign', 'Countersign a release of a certified product, as its certifier', [
  'Without it, a release of a certified product cannot be put in force.',
])

const time: ValueType<string> = checkedTime()

const activate = defineCommand({
  name: 'release activate',
  summary: 'Put an approved release in force, beside the one before it until a date',
  description: [
    'Until the date both are good. After it, devices on the earlier one are a finding, without anybody doing anything. ' +
      'A device that goes back is a finding at once.',
  ],
  examples: ['keepseal release activate "Gate 7@2.4.1" --until 2026-12-01T00:00:00Z'],
  arguments: { release: releaseArgument },
  options: {
    ...connectionOptions,
    until: { description: 'Until when the release before it stays accepted.', value: time, placeholder: 'TIME' },
    minimum: { description: 'Every earlier release is below the minimum from now on.' },
    'dry-run': { description: 'Only tell whether it can be done.' },
  },
  json: true,
  run: async ({ options, arguments: { release }, terminal, present, style }) => {
    const client = connect(options, terminal.env)
    const path = pathOfRelease(await releaseIdOf(client, release))
    const { until: acceptedUntil, minimum, dryRun } = options
    const decided = await client.post(`${path}/activate`, { acceptedUntil, minimum, dryRun }, Release)
    present(decided, () => describeRelease(decided, { style }).join('\n'))
    if (dryRun) terminal.error('It can be done; nothing was changed.\n')
    return exitCodes.good
  },
})

const retire = defineCommand({
  name: 'release retire',
  summary: 'End the acceptance of a release, now or sooner than planned',
  arguments: { release: releaseArgument },
  options: {
    ...connectionOptions,
    until: { description: 'When; at once without it. Never later than planned.', value: time, placeholder: 'TIME' },
  },
  json: true,
  run: async ({ options, arguments: { release }, terminal, present, style }) => {
    const client = connect(options, terminal.env)
    const path = pathOfRelease(await releaseIdOf(client, release))
    const decided = await client.post(`${path}/retire`, { until: options.until }, Release)
    present(decided, () => describeRelease(decided, { style }).join('\n'))
    return exitCodes.good
  },
})

const revoke = defineCommand({
  name: 'release revoke',
  summary: 'Say that no device may run a release any more, or give up a draft',
  arguments: { release: releaseArgument },
  options: {
    ...connectionOptions,
    reason: { description: 'Why, for the audit log.', value: text(1000), placeholder: 'TEXT', required: true },
  },
  json: true,
  run: async ({ options, arguments: { release }, terminal, present, style }) => {
    const client = connect(options, terminal.env)
    const path = pathOfRelease(await releaseIdOf(client, release))
    const decided = await client.post(`${path}/revoke`, { reason: options.reason }, Release)
    present(decided, () => describeRelease(decided, { style }).join('\n'))
    return exitCodes.good
  },
})

export const releaseCommands: readonly Command[] = [
  watchable(list),
  watchable(show),
  approve,
  countersign,
  activate,
  retire,
  revoke,
]
