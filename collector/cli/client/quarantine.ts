import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect, type ApiClient } from './api.ts'
import { writeOutput } from './inspect/files.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { connectionOptions } from './settings.ts'
import { field, timeText } from './text.ts'
import { watchable } from './watch/watchable.ts'

const Message = v.looseObject({
  id: v.number(),
  topic: v.string(),
  ueid: v.nullable(v.string()),
  hash: v.string(),
  size: v.number(),
  reason: v.string(),
  detail: v.string(),
  tries: v.number(),
  receivedAt: v.string(),
  lastFailedAt: v.string(),
})

const Retried = v.looseObject({ decided: v.boolean(), result: v.nullable(v.string()), code: v.nullable(v.string()) })

const ID = { description: 'The message, as `quarantine list` shows it.' }

/** Within the path of a request. */
function pathOf(id: string): string {
  if (!/^[0-9]{1,15}$/.test(id)) throw new KeepsealError('usage.invalid', 'the id of a message is a number')
  return `/quarantine/${id}`
}

const list = defineCommand({
  name: 'quarantine list',
  summary: 'List messages that could not be decided by a fault of the collector',
  description: [
    'Nothing is lost: they have no receipt, and their devices send them again. What a device is to blame for is refused, ' +
      'and not here.',
  ],
  options: { ...listOptions, device: { description: 'Of this device only.', value: text(64), placeholder: 'UEID' } },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const { device: ueid, limit = DEFAULT_ITEMS } = options
    const listed = await connect(options, terminal.env).list('/quarantine', { ueid }, Message, limit)
    const columns = [
      { title: 'ID', shrinks: false },
      { title: 'RECEIVED', shrinks: false },
      { title: 'TRIES', shrinks: false },
      { title: 'REASON' },
      { title: 'TOPIC' },
    ]
    return presentList(
      context,
      listed,
      columns,
      ({ id, receivedAt, tries, reason, topic }) => [String(id), timeText(receivedAt), String(tries), reason, topic],
      'Nothing is in quarantine.',
    )
  },
})

const show = defineCommand({
  name: 'quarantine show',
  summary: 'Show why a message could not be decided, and write it to a file',
  description: ['keepseal inspect evidence explains the file.'],
  examples: ['keepseal quarantine show 7 --out message.cbor'],
  arguments: { id: ID },
  options: {
    ...connectionOptions,
    out: { description: 'File for the message as it was received.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, arguments: { id }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const message = await client.get(pathOf(id), Message)
    if (options.out !== undefined) writeOutput(options.out, await client.getBytes(`${pathOf(id)}/bytes`))
    present(message, () =>
      [
        ...field('message', `${message.id}, ${message.size} bytes`),
        ...field('topic', printable(message.topic)),
        ...field('hash', message.hash),
        ...field('received', timeText(message.receivedAt)),
        ...field('tried', `${message.tries} times, last ${timeText(message.lastFailedAt)}`),
        ...field('reason', printable(message.reason)),
        ...field('said', printable(message.detail)),
        ...(options.out === undefined ? [] : field('written', options.out)),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

async function retryOne(client: ApiClient, id: string) {
  return { id: Number(id), ...(await client.post(`${pathOf(id)}/retry`, {}, Retried)) }
}

const retry = defineCommand({
  name: 'quarantine retry',
  summary: 'Try again to decide a message, or all of them, after an upgrade say',
  description: ['Exit code 1: something still could not be decided.'],
  arguments: { id: { ...ID, optional: true } },
  options: { ...connectionOptions, all: { description: 'All of them.' } },
  json: true,
  run: async ({ options, arguments: { id }, terminal, present }) => {
    if ((id === undefined) === !options.all) {
      throw new KeepsealError('usage.invalid', 'give the id of a message, or --all')
    }
    const client = connect(options, terminal.env)
    const all = async (): Promise<readonly string[]> => {
      const { items } = await client.list('/quarantine', {}, Message, 100_000)
      return items.map((message) => String(message.id)).toReversed()
    }
    const retried: Awaited<ReturnType<typeof retryOne>>[] = []
    for (const each of id === undefined ? await all() : [id]) retried.push(await retryOne(client, each))
    const undecided = retried.filter(({ decided }) => !decided)
    present({ retried }, () =>
      [
        ...retried.map(({ id: one, decided, result, code }) =>
          decided ? `${one} ${result ?? 'decided'}${code === null ? '' : ` ${code}`}` : `${one} not decided`,
        ),
        `${retried.length - undecided.length} of ${retried.length} decided`,
      ].join('\n'),
    )
    return undecided.length === 0 ? exitCodes.good : exitCodes.finding
  },
})

const remove = defineCommand({
  name: 'quarantine remove',
  summary: 'Remove a message from quarantine undecided; its device sends it again',
  arguments: { id: ID },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id }, terminal, present }) => {
    const answer = await connect(options, terminal.env).post(
      `${pathOf(id)}/remove`,
      {},
      v.object({ removed: v.boolean() }),
    )
    present(answer, () => `${id} removed`)
    return exitCodes.good
  },
})

export const quarantineCommands: readonly Command[] = [watchable(list), show, retry, remove]
