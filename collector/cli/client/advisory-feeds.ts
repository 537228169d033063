import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { integer } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect, type ApiClient } from './api.ts'
import { connectionOptions } from './settings.ts'
import { counted, paragraph, timeText } from './text.ts'

const Feed = v.looseObject({
  feed: v.string(),
  authority: v.string(),
  advisories: v.number(),
  checkedAt: v.nullable(v.string()),
  changedAt: v.nullable(v.string()),
  problem: v.nullable(v.looseObject({ code: v.string(), detail: v.string(), since: v.string() })),
  wrong: v.number(),
  fetch: v.nullish(
    v.looseObject({
      kind: v.string(),
      url: v.string(),
      nextAt: v.string(),
      attempts: v.number(),
      isStale: v.boolean(),
      signature: v.nullable(v.string()),
      answered: v.number(),
    }),
    null,
  ),
})
type Feed = v.InferOutput<typeof Feed>
const Feeds = v.looseObject({ items: v.array(Feed) })

const feedsOf = async (client: ApiClient): Promise<readonly Feed[]> =>
  (await client.get('/advisory-feeds', Feeds)).items

const isBad = ({ problem, wrong, fetch }: Feed): boolean => problem !== null || wrong > 0 || fetch?.isStale === true

function stateOf({ problem, wrong, fetch }: Feed): string {
  if (problem !== null) return problem.code
  if (fetch?.isStale === true) return 'too old'
  if (wrong > 0) return `${wrong} wrong`
  return fetch?.signature === 'not-checked' ? 'signature unchecked' : '-'
}

/** What does not fit into a line of the table. */
function notesOf({ feed, problem, wrong, fetch }: Feed): readonly string[] {
  const notes = [
    ...(problem === null
      ? []
      : [`since ${timeText(problem.since)}: ${problem.code}${problem.detail === '' ? '' : `: ${problem.detail}`}`]),
    ...(wrong === 0
      ? []
      : [
          `${counted(wrong, 'record')} left out, what was known of them before counts: keepseal advisory wrong ${feed}`,
        ]),
    ...(fetch?.isStale === true ? ['was looked at with success too long ago: new advisories can be missing'] : []),
    ...(problem !== null && fetch !== null ? [`what was there before counts; next try ${timeText(fetch.nextAt)}`] : []),
    ...(fetch?.signature === 'not-checked' ? ['OpenPGP signatures were not checked, or not everything is signed'] : []),
  ]
  return notes.flatMap((note) => paragraph('', printable(`${feed}: ${note}`)))
}

const columns = [
  { title: 'FEED', shrinks: false },
  { title: 'WORD OF' },
  { title: 'ADVISORIES', align: 'right' },
  { title: 'CHECKED', shrinks: false },
  { title: 'PROBLEM' },
] as const
const row = (one: Feed): readonly string[] => [
  one.feed,
  one.authority,
  String(one.advisories),
  timeText(one.checkedAt),
  stateOf(one),
]

const feeds = defineCommand({
  name: 'advisory feeds',
  summary: 'List where advisories come from, how old what they brought is, and what is wrong with them',
  description: ['Exit code 1: something is wrong with one of them, or it is too old.'],
  options: connectionOptions,
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const items = await feedsOf(connect(options, terminal.env))
    present({ items }, () => {
      if (items.length === 0)
        return 'No feed: name them in advisories.feeds of the collector, or keepseal advisory import'
      const notes = items.flatMap(notesOf)
      return [table(columns, items.map(row)), ...(notes.length === 0 ? [] : ['', ...notes])].join('\n')
    })
    return items.some(isBad) ? exitCodes.finding : exitCodes.good
  },
})

const Wrong = v.looseObject({
  items: v.array(
    v.looseObject({
      place: v.string(),
      advisory: v.nullable(v.string()),
      package: v.nullable(v.string()),
      code: v.string(),
      detail: v.string(),
    }),
  ),
})

const wrongRecords = defineCommand({
  name: 'advisory wrong',
  summary: 'List records of a feed that were left out, each with what is wrong with it',
  description: ['What was known of them before goes on to count. Exit code 1: there are some.'],
  arguments: { feed: { description: 'Its name.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { feed }, terminal, present }) => {
    const path = `/advisory-feeds/${encodeURIComponent(feed)}/wrong-records`
    const found = await connect(options, terminal.env).get(path, Wrong)
    present(found, () =>
      found.items.length === 0
        ? 'None: all that the feed has was taken.'
        : found.items
            .flatMap(({ place, advisory, package: name, code, detail }) => {
              const about = [advisory ?? '', name ?? ''].filter(Boolean).join(', ')
              return [
                ...paragraph('', printable(about === '' || about === place ? place : `${place} (${about})`)),
                ...paragraph('  ', printable(`${code}: ${detail}`)),
              ]
            })
            .join('\n'),
    )
    return found.items.length > 0 ? exitCodes.finding : exitCodes.good
  },
})

const POLL_MS = 500
const DEFAULT_WAIT_S = 300
const Requested = v.looseObject({ feed: v.string(), asked: v.number() })

const fetch = defineCommand({
  name: 'advisory fetch',
  summary: 'Have the collector fetch a feed now, or all that it fetches, and tell how it went',
  description: [
    'Exit code 1: something is wrong with one of them; what was there before counts still. 3: it takes longer than ' +
      '--wait; keepseal advisory feeds tells later how it went.',
  ],
  examples: ['keepseal advisory fetch', 'keepseal advisory fetch debian --accept-shrunk'],
  arguments: { feed: { description: 'Its name; all without.', optional: true } },
  options: {
    ...connectionOptions,
    'accept-shrunk': { description: 'Take it although half of it is gone: somebody has looked at it.' },
    wait: { description: 'Seconds to wait for it; 300 without.', value: integer(0, 86_400), placeholder: 'SECONDS' },
  },
  json: true,
  run: async ({ options, arguments: { feed }, terminal, present, table }) => {
    const client = connect(options, terminal.env)
    const { acceptShrunk = false, wait = DEFAULT_WAIT_S } = options
    if (acceptShrunk && feed === undefined) throw new KeepsealError('usage.invalid', '--accept-shrunk needs a FEED')
    const names =
      feed === undefined ? (await feedsOf(client)).filter((one) => one.fetch).map((one) => one.feed) : [feed]
    const before = new Map<string, number>()
    for (const name of names) {
      const asked = await client.post(`/advisory-feeds/${encodeURIComponent(name)}/fetch`, { acceptShrunk }, Requested)
      before.set(name, asked.asked)
    }
    const isDone = (one: Feed): boolean => (one.fetch?.answered ?? 0) >= (before.get(one.feed) ?? Infinity)
    const until = Date.now() + wait * 1000
    let items: readonly Feed[]
    for (;;) {
      items = (await feedsOf(client)).filter((one) => before.has(one.feed))
      if (items.every(isDone) || Date.now() >= until) break
      await sleep(POLL_MS)
    }
    const isPending = !items.every(isDone)
    present({ pending: items.filter((one) => !isDone(one)).map((one) => one.feed), items }, () => {
      if (items.length === 0) return 'The collector fetches no feed: advisories.feeds of its configuration names none.'
      const notes = items.flatMap((one) => (isDone(one) ? notesOf(one) : [`${printable(one.feed)}: under way`]))
      return [table(columns, items.map(row)), ...(notes.length === 0 ? [] : ['', ...notes])].join('\n')
    })
    if (isPending) return exitCodes.unreachable
    return items.some(isBad) ? exitCodes.finding : exitCodes.good
  },
})

export const advisoryFeedCommands: readonly Command[] = [feeds, wrongRecords, fetch]
