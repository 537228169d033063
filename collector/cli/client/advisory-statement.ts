import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { JUSTIFICATIONS } from '../../model/product-statement.ts'
import { configurationIdOf } from './advisory-configuration.ts'
import { connect, type ApiClient } from './api.ts'
import { groupIdOf, labelsOf } from './group-reference.ts'
import { productIdOf } from './product-reference.ts'
import { releaseIdOf } from './release-reference.ts'
import { connectionOptions } from './settings.ts'
import { paragraph, timeText } from './text.ts'
import { until } from './until-option.ts'

export const Statement = v.looseObject({
  id: v.string(),
  advisory: v.string(),
  package: v.nullable(v.string()),
  verdict: v.string(),
  justification: v.nullable(v.string()),
  scope: v.string(),
  reason: v.string(),
  createdAt: v.string(),
  createdBy: v.string(),
  expiresAt: v.string(),
  endedAt: v.nullable(v.string()),
  isOver: v.boolean(),
})
type Statement = v.InferOutput<typeof Statement>

const scopeOptions = {
  package: { description: 'Of this package only.', value: text(256), placeholder: 'PACKAGE' },
  release: { description: 'For devices that run this release of it.', value: text(260), placeholder: 'NAME' },
  configuration: {
    description: 'For devices that are in this configuration of it.',
    value: text(64),
    placeholder: 'NAME',
  },
  group: { description: 'For devices of this group.', value: text(64), placeholder: 'GROUP' },
  label: {
    description: 'For devices with this label, and each other one.',
    value: text(128),
    placeholder: 'KEY=VALUE',
    multiple: true,
  },
} as const

const stating = {
  ...connectionOptions,
  product: {
    description: 'Its id, its model, or VENDOR/MODEL.',
    value: text(260),
    placeholder: 'PRODUCT',
    required: true,
  },
  ...scopeOptions,
  reason: { description: 'Why, for others to read.', value: text(1000), placeholder: 'TEXT', required: true },
  until: {
    description: 'Until when: 30d, or 2026-12-01; a year at most.',
    value: until(),
    placeholder: 'TIME',
    required: true,
  },
} as const

interface Scope {
  readonly package?: string | undefined
  readonly release?: string | undefined
  readonly configuration?: string | undefined
  readonly group?: string | undefined
  readonly label?: readonly string[] | undefined
}

async function scopeOf(client: ApiClient, productId: string, scope: Scope) {
  const { release, configuration, group, label = [] } = scope
  const isRelease = release === undefined || /^rel_[0-9a-f-]+$/.test(release)
  return {
    package: scope.package ?? null,
    releaseId:
      release === undefined ? null : await releaseIdOf(client, isRelease ? release : `${productId}@${release}`),
    configurationId: configuration === undefined ? null : await configurationIdOf(client, productId, configuration),
    groupId: group === undefined ? null : await groupIdOf(client, group),
    labels: label.length === 0 ? null : labelsOf(label),
  }
}

/** What was said, in one line. */
export function said({ advisory, verdict, scope, package: name, expiresAt }: Statement): string {
  const what = name === null ? advisory : `${advisory} (${name})`
  const where = scope === '' ? 'for the whole product' : `for ${scope}`
  return printable(`${what} is ${verdict} ${where} until ${timeText(expiresAt)}`)
}

const exclude = defineCommand({
  name: 'advisory exclude',
  summary: 'Say that an advisory does not matter for devices of a product, why, and until when',
  description: [
    'It stays visible, and counts again when the time is over. With a release, a configuration, a group or labels it ' +
      'is for devices that are all of these, and only while they are.',
  ],
  examples: [
    'keepseal advisory exclude DSA-1 --product "Gate 7" --group lab --until 30d \\\n    --reason "not connected"',
  ],
  arguments: { name: { description: 'The advisory.' } },
  options: stating,
  json: true,
  run: async ({ options, arguments: { name }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, options.product)
    const { reason, until: expiresAt } = options
    const body = { productId, advisory: name, reason, expiresAt, ...(await scopeOf(client, productId, options)) }
    const made = await client.post('/advisory-statements', body, Statement)
    present(made, () => said(made))
    return exitCodes.good
  },
})

const state = defineCommand({
  name: 'advisory state',
  summary: 'State that devices of a product are not affected by an advisory, or are after all',
  description: [
    'As VEX: it goes into `advisory vex`, for the devices that it is about. Of statements that contradict each other ' +
      'about a device the one that it is affected counts, and the others are shown beside it.',
  ],
  examples: [
    'keepseal advisory state DSA-1 --product "Gate 7" --configuration no-telnet \\\n' +
      '    --status not-affected --justification component_not_present \\\n    --until 180d --reason "telnetd is not there"',
  ],
  arguments: { name: { description: 'The advisory.' } },
  options: {
    ...stating,
    status: { description: 'Which.', value: choice(['not-affected', 'affected']), placeholder: 'WORD', required: true },
    justification: {
      description: 'Of not-affected: why, in the words of VEX.',
      value: choice(JUSTIFICATIONS),
      placeholder: 'WORD',
    },
  },
  json: true,
  run: async ({ options, arguments: { name }, terminal, present }) => {
    const { reason, until: expiresAt, status: verdict, justification = null } = options
    if ((verdict === 'not-affected') !== (justification !== null)) {
      throw new KeepsealError('usage.invalid', '--justification goes with --status not-affected, which needs one')
    }
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, options.product)
    const scope = await scopeOf(client, productId, options)
    const body = { productId, advisory: name, verdict, justification, reason, expiresAt, ...scope }
    const made = await client.post('/advisory-statements', body, Statement)
    present(made, () => said(made))
    return exitCodes.good
  },
})

const list = defineCommand({
  name: 'advisory statements',
  summary: 'List what was said of advisories for a product, newest first; without --all what counts now',
  options: {
    ...connectionOptions,
    product: { description: 'Of this product only.', value: text(260), placeholder: 'PRODUCT' },
    all: { description: 'Also what is over.' },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const client = connect(options, terminal.env)
    const query = options.product === undefined ? '' : `?productId=${await productIdOf(client, options.product)}`
    const answer = await client.get(`/advisory-statements${query}`, v.looseObject({ items: v.array(Statement) }))
    const items = answer.items.filter(({ isOver }) => options.all || !isOver)
    present({ items }, () =>
      items.length === 0
        ? 'Nothing was said that counts now: advisories count as they are.'
        : items
            .flatMap((one) => [
              ...paragraph('', said(one)),
              ...(one.isOver ? [`  over since ${timeText(one.endedAt ?? one.expiresAt)}`] : []),
              ...(one.justification === null ? [] : paragraph('  ', printable(one.justification))),
              ...paragraph('  ', printable(one.reason)),
              ...paragraph('  ', printable(`${one.id}, by ${one.createdBy}, ${timeText(one.createdAt)}`)),
            ])
            .join('\n'),
    )
    return exitCodes.good
  },
})

const end = defineCommand({
  name: 'advisory end',
  summary: 'Take back before its time what was said of an advisory: it counts again',
  arguments: { id: { description: 'Id of it, as `advisory statements` shows it.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const ended = await client.post(`/advisory-statements/${encodeURIComponent(id)}/end`, {}, Statement)
    present(ended, () => printable(`ended: ${ended.advisory} counts as it is`))
    return exitCodes.good
  },
})

export const advisoryStatementCommands: readonly Command[] = [exclude, state, list, end]
