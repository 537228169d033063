import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { explained, probabilityText, rulingLines, Exposure } from './exposure-text.ts'
import { connectionOptions } from './settings.ts'
import { counted, field, paragraph } from './text.ts'

const Vulnerabilities = v.looseObject({
  state: v.string(),
  ecosystem: v.nullable(v.string()),
  packages: v.number(),
  isWhole: v.boolean(),
  incomparable: v.number(),
  items: v.array(
    v.looseObject({
      ...Exposure.entries,
      advisory: v.string(),
      summary: v.string(),
      severity: v.nullable(v.string()),
      exploited: v.boolean(),
      probability: v.nullable(v.number()),
      excludedUntil: v.nullable(v.string()),
    }),
  ),
})

const STATES: Readonly<Record<string, string>> = {
  'no-packages': 'The device does not report packages: what it is affected by, nobody can tell.',
  'no-advisories': 'The device does not say which system it runs: no advisory can be matched.',
  pending: 'Its newest report has not been looked at yet: try again in a minute.',
}

const ofDevice = defineCommand({
  name: 'device vulnerabilities',
  summary: 'Show what advisories mean for the packages of a device, each with why',
  description: [
    'Without --all: what the device is affected by, or may be. Exit code 1: there is something of it, or nobody can tell.',
  ],
  arguments: { ueid: { description: 'Id of the device, as `device list` shows it.' } },
  options: { ...connectionOptions, all: { description: 'Also what it is not affected by, and why.' } },
  json: true,
  run: async ({ options, arguments: { ueid }, terminal, present }) => {
    const path = `/devices/${encodeURIComponent(ueid.toLowerCase())}/vulnerabilities`
    const found = await connect(options, terminal.env).get(path, Vulnerabilities)
    const open = found.items.filter(({ status, excludedUntil }) => status !== 'not-affected' && excludedUntil === null)
    const shown = options.all ? found.items : open
    present({ ...found, items: shown }, () =>
      [
        ...(STATES[found.state] === undefined
          ? field('system', `${printable(found.ecosystem ?? '-')}, ${counted(found.packages, 'package')}`)
          : paragraph('', STATES[found.state] ?? '')),
        ...(found.state !== 'known' || found.isWhole ? [] : field('incomplete', 'packages are missing in its list')),
        ...(found.incomparable === 0
          ? []
          : field('unordered', `${counted(found.incomparable, 'package')} whose version is none`)),
        ...field('open', String(open.length)),
        ...shown.flatMap((one) => [
          '',
          printable(
            [one.advisory, one.exploited ? 'exploited' : (one.severity ?? 'unrated'), probabilityText(one.probability)]
              .filter(Boolean)
              .join(', '),
          ),
          ...(one.summary === '' ? [] : paragraph('  ', printable(one.summary))),
          ...paragraph('  ', printable(explained(one))),
          ...rulingLines('  ', one),
        ]),
      ].join('\n'),
    )
    return open.length > 0 || found.state !== 'known' ? exitCodes.finding : exitCodes.good
  },
})

export const deviceVulnerabilityCommands: readonly Command[] = [ofDevice]
