import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { said, Statement as OwnStatement } from './advisory-statement.ts'
import { connect } from './api.ts'
import { explained, rulingLines, Exposure } from './exposure-text.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { advisories, Update, updateLines } from './update-text.ts'
import { counted, field, paragraph, timeText, toneOf } from './text.ts'

const Advisory = v.looseObject({
  id: v.string(),
  feed: v.string(),
  aliases: v.array(v.string()),
  summary: v.string(),
  severity: v.nullable(v.string()),
  published: v.nullable(v.string()),
  modified: v.nullable(v.string()),
  withdrawn: v.nullable(v.string()),
  knownAt: v.string(),
})

const Concern = v.looseObject({
  advisory: v.string(),
  severity: v.nullable(v.string()),
  exploited: v.boolean(),
  packages: v.array(v.string()),
  fixedIn: v.nullable(v.string()),
  status: v.string(),
  devices: v.number(),
  limited: v.number(),
  listener: v.nullable(v.looseObject({ reach: v.string(), ports: v.array(v.string()) })),
  excludedUntil: v.nullable(v.string()),
  ruling: v.nullable(v.looseObject({ verdict: v.string(), scope: v.string(), until: v.string() })),
  disputedBy: v.array(v.string()),
})
const Concerns = v.looseObject({
  devices: v.number(),
  unknownDevices: v.number(),
  items: v.array(Concern),
  updates: v.array(Update),
})

const product = { description: 'Its id, its model, or VENDOR/MODEL.', value: text(260), placeholder: 'PRODUCT' }
const day = (time: string | null): string => (time === null ? '-' : time.slice(0, 10))
const severityText = (severity: string | null): string => severity ?? 'unrated'

const list = defineCommand({
  name: 'advisory list',
  summary: 'List advisories: all, about one name or package, or what concerns a product',
  description: [
    'With --product: what devices of it are affected by, the most urgent first (used in attacks, severity, likelihood, ' +
      'age), and the updates that settle the most. Exit code 1: devices are affected.',
  ],
  options: {
    ...listOptions,
    about: { description: 'An advisory, a CVE, or a package.', value: text(256), placeholder: 'NAME' },
    product,
    by: {
      description: 'With --product: advisory, or update, which is what to ship next.',
      value: choice(['advisory', 'update']),
      placeholder: 'WHAT',
    },
  },
  json: true,
  run: async (context) => {
    const { options, terminal, present, table } = context
    const client = connect(options, terminal.env)
    const { limit = DEFAULT_ITEMS } = options
    if (options.by !== undefined && options.product === undefined) {
      throw new KeepsealError('usage.invalid', '--by goes with --product', { remedy: 'keepseal product list' })
    }
    if (options.product === undefined) {
      const listed = await client.list('/advisories', { about: options.about }, Advisory, limit)
      const columns = [
        { title: 'ADVISORY', shrinks: false },
        { title: 'SEVERITY', style: toneOf, shrinks: false },
        { title: 'PUBLISHED', shrinks: false },
        { title: 'FEED' },
        { title: 'SUMMARY' },
      ]
      const row = ({ id, severity, published, feed, summary, withdrawn }: v.InferOutput<typeof Advisory>) => [
        id,
        withdrawn === null ? severityText(severity) : 'withdrawn',
        day(published),
        feed,
        summary,
      ]
      return presentList(context, listed, columns, row, 'No advisory: keepseal advisory import FILE')
    }
    const productId = await productIdOf(client, options.product)
    const all = await client.get(`/products/${productId}/vulnerabilities`, Concerns)
    const { about, by } = options
    if (by === 'update') {
      present(all.updates.slice(0, limit), () => updateLines(all.updates.slice(0, limit), all.devices).join('\n'))
      return all.updates.length > 0 ? exitCodes.finding : exitCodes.good
    }
    const items = all.items.filter((one) => about === undefined || [one.advisory, ...one.packages].includes(about))
    present({ ...all, items: items.slice(0, limit) }, () =>
      [
        table(
          [
            { title: 'ADVISORY', shrinks: false },
            { title: 'SEVERITY', style: toneOf, shrinks: false },
            { title: 'STATUS' },
            { title: 'DEVICES', align: 'right', shrinks: false },
            { title: 'PACKAGE' },
            { title: 'FIXED IN' },
          ],
          items
            .slice(0, limit)
            .map((one) => [
              one.advisory,
              one.exploited ? 'exploited' : severityText(one.severity),
              one.excludedUntil === null ? one.status : `excluded to ${day(one.excludedUntil)}`,
              String(one.devices),
              one.packages.join(' '),
              one.fixedIn ?? '-',
            ]),
        ),
        ...(all.updates.length === 0 ? [] : ['', 'What to ship next (--by update tells why):']),
        ...all.updates
          .slice(0, 5)
          .map((one) => printable(`  ${one.source} ${one.version}: ${advisories(one.advisories.length)}`)),
        ...items
          .slice(0, limit)
          .flatMap(({ advisory, ruling, devices }) =>
            ruling === null || ruling.scope === ''
              ? []
              : paragraph(
                  '  ',
                  printable(`${advisory}: ${ruling.verdict} for ${counted(devices, 'device')}, ${ruling.scope}`),
                ),
          ),
        ...items
          .filter(({ limited }) => limited > 0)
          .slice(0, 5)
          .map((one) =>
            printable(
              `  ${one.advisory}: ${counted(one.limited, 'device')} without the fix by a limitation of the profile`,
            ),
          ),
        ...(all.unknownDevices === 0
          ? []
          : [
              '',
              `Of ${counted(all.unknownDevices, 'device')} nobody knows the packages: any of these may concern them.`,
            ]),
      ].join('\n'),
    )
    const open = items.some(({ status, excludedUntil }) => status !== 'not-affected' && excludedUntil === null)
    return open ? exitCodes.finding : exitCodes.good
  },
})

const Shown = v.looseObject({
  advisories: v.array(Advisory),
  statements: v.array(
    v.looseObject({
      feed: v.string(),
      ecosystem: v.string(),
      release: v.string(),
      package: v.string(),
      product: v.nullable(v.string()),
      statement: v.string(),
      ranges: v.array(
        v.looseObject({
          introduced: v.nullable(v.string()),
          fixed: v.nullable(v.string()),
          lastAffected: v.nullable(v.string()),
        }),
      ),
      versions: v.array(v.string()),
      justification: v.nullable(v.string()),
    }),
  ),
  more: v.boolean(),
  effects: v.array(
    v.looseObject({
      ...Exposure.entries,
      productId: v.string(),
      devices: v.number(),
      limited: v.number(),
      limitation: v.nullable(v.string()),
      excludedUntil: v.nullable(v.string()),
    }),
  ),
  stated: v.array(OwnStatement),
})
type Statement = v.InferOutput<typeof Shown>['statements'][number]

function versionsText({ ranges, versions }: Statement): string {
  const texts = ranges.map(({ introduced, fixed, lastAffected }) =>
    [
      introduced === null ? '' : `from ${introduced}`,
      fixed === null ? '' : `before ${fixed}`,
      lastAffected === null ? '' : `to ${lastAffected}`,
    ]
      .filter(Boolean)
      .join(' '),
  )
  const all = [...texts.map((one) => one || 'all versions'), ...versions.slice(0, 5)]
  return all.length === 0 ? 'all versions' : `${all.join(', ')}${versions.length > 5 ? ' and more' : ''}`
}

const show = defineCommand({
  name: 'advisory show',
  summary: 'Show what an advisory says of which packages, and which devices it concerns, each with why',
  arguments: { name: { description: 'Its name, as `advisory list` shows it.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { name }, terminal, present }) => {
    const found = await connect(options, terminal.env).get(`/advisories/${encodeURIComponent(name)}`, Shown)
    present(found, () =>
      [
        ...found.advisories.flatMap((one) => [
          ...field('advisory', `${printable(one.id)}, of feed ${printable(one.feed)}`),
          ...field('about', printable(one.summary || '-')),
          ...field('names', printable(one.aliases.slice(0, 20).join(' ') || '-')),
          ...field('severity', severityText(one.severity)),
          ...field('published', `${timeText(one.published)}; known here since ${timeText(one.knownAt)}`),
          ...(one.withdrawn === null ? [] : field('withdrawn', timeText(one.withdrawn))),
        ]),
        '',
        'It says:',
        ...found.statements.slice(0, 40).flatMap((one) => {
          const where = [one.ecosystem, one.release].filter(Boolean).join(' ')
          const of = one.product === null ? '' : `, in ${one.product} alone`
          const why = one.justification === null ? '' : ` (${one.justification})`
          return paragraph(
            '  ',
            printable(`${where} ${one.package}: ${one.statement}, ${versionsText(one)}${of}${why}`),
          )
        }),
        ...(found.more || found.statements.length > 40 ? ['  and more: --json'] : []),
        '',
        found.effects.length === 0 ? 'No device has a package that it concerns.' : 'For devices:',
        ...found.effects.flatMap((one) => [
          ...paragraph('  ', printable(`${counted(one.devices, 'device')}: ${explained(one)}`)),
          ...(one.limited === 0
            ? []
            : paragraph(
                '    ',
                printable(`${counted(one.limited, 'device')} without the fix by limitation ${one.limitation ?? ''}`),
              )),
          ...rulingLines('    ', one),
        ]),
        ...(found.stated.length === 0 ? [] : ['', 'Said of it for products:']),
        ...found.stated
          .slice(0, 20)
          .flatMap((one) => [
            ...paragraph('  ', said(one)),
            ...(one.isOver ? [`    over since ${timeText(one.endedAt ?? one.expiresAt)}`] : []),
            ...paragraph('    ', printable(one.reason)),
          ]),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

export const advisoryCommands: readonly Command[] = [list, show]
