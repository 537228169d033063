import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { pathOfRelease, releaseArgument, releaseIdOf } from './release-reference.ts'
import { connectionOptions } from './settings.ts'
import { paragraph } from './text.ts'

const Changes = v.looseObject({
  changes: v.array(
    v.looseObject({
      part: v.string(),
      about: v.string(),
      subject: v.string(),
      before: v.nullable(v.string()),
      after: v.nullable(v.string()),
    }),
  ),
})
type Changes = v.InferOutput<typeof Changes>

const Counts = v.array(
  v.looseObject({ code: v.string(), subject: v.string(), devices: v.number(), example: v.string() }),
)
const Fleet = v.looseObject({
  devices: v.number(),
  unknown: v.number(),
  truncated: v.boolean(),
  verdicts: v.array(v.looseObject({ before: v.string(), after: v.string(), devices: v.number() })),
  opens: Counts,
  closes: Counts,
})
type Fleet = v.InferOutput<typeof Fleet>

const MAX_VALUE = 300
const cut = (text: string): string => (text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`)

/** Changes by their part, each with a sign: + is new, - is gone, ~ is another. */
function describeChanges({ changes }: Changes): string[] {
  if (changes.length === 0) return ['They expect the same.']
  return [...new Set(changes.map(({ part }) => part))].flatMap((part) => [
    part,
    ...changes
      .filter((change) => change.part === part)
      .flatMap(({ subject, before, after }) => {
        if (before === null) return paragraph('  ', printable(`+ ${subject}: ${cut(after ?? '')}`))
        if (after === null) return paragraph('  ', printable(`- ${subject}: ${cut(before)}`))
        return [
          ...paragraph('  ', printable(`~ ${subject}`)),
          ...paragraph('      ', printable(cut(before))),
          ...paragraph('   -> ', printable(cut(after))),
        ]
      }),
  ])
}

const devicesText = (count: number): string => `${count} ${count === 1 ? 'device' : 'devices'}`

function describeFleet({ devices, unknown, truncated, verdicts, opens, closes }: Fleet): string[] {
  const findings = (title: string, counts: Fleet['opens']): string[] => [
    '',
    `${title}${counts.length === 0 ? ': none' : ''}`,
    ...counts.flatMap(({ code, subject, devices: count, example }) => [
      ...paragraph('  ', printable(`${code}: ${subject}`)),
      ...paragraph('    ', printable(`${devicesText(count)}, as ${example}`)),
    ]),
  ]
  return [
    `${devicesText(devices)} judged${unknown === 0 ? '' : `; ${unknown} have sent nothing to judge yet`}`,
    ...(truncated ? ['The fleet is larger: only a part of it was looked at.'] : []),
    ...(verdicts.length === 0 ? ['No verdict would change.'] : []),
    ...verdicts.map(({ before, after, devices: count }) => printable(`${before} -> ${after}: ${devicesText(count)}`)),
    ...findings('findings that would open', opens),
    ...findings('findings that would close', closes),
  ]
}

const diff = defineCommand({
  name: 'release diff',
  summary: 'Show what a release expects otherwise than another, or what it would change for the fleet',
  description: [
    'With --fleet all devices are judged by their newest report as if RELEASE were active, and the one before it still ' +
      'accepted, or closed with --closed. Nothing is stored.',
  ],
  examples: ['keepseal release diff "Gate 7@2.4.1" "Gate 7@2.4.0"', 'keepseal release diff "Gate 7@2.4.1" --fleet'],
  arguments: {
    release: releaseArgument,
    before: { description: 'The release before it; without, everything is new.', optional: true },
  },
  options: {
    ...connectionOptions,
    fleet: { description: 'What would change for the fleet if RELEASE were active.' },
    closed: { description: 'With --fleet: as it will be when the window of the release before it has closed.' },
  },
  json: true,
  run: async ({ options, arguments: { release, before }, terminal, present }) => {
    if (options.closed && !options.fleet) throw new KeepsealError('usage.invalid', '--closed belongs to --fleet')
    if (options.fleet && before !== undefined) {
      throw new KeepsealError('usage.invalid', '--fleet compares with what is in force: it takes one release')
    }
    const client = connect(options, terminal.env)
    const path = pathOfRelease(await releaseIdOf(client, release))
    if (options.fleet) {
      const found = await client.get(`${path}/fleet-diff?closed=${String(options.closed)}`, Fleet)
      present(found, () => describeFleet(found).join('\n'))
      return exitCodes.good
    }
    const query = before === undefined ? '' : `?before=${encodeURIComponent(await releaseIdOf(client, before))}`
    const found = await client.get(`${path}/diff${query}`, Changes)
    present(found, () => describeChanges(found).join('\n'))
    return exitCodes.good
  },
})

export const releaseDiffCommands: readonly Command[] = [diff]
