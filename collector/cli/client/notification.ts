import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, integer, text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { connectionOptions } from './settings.ts'
import { toneOf } from './text.ts'
import { watchable } from './watch/watchable.ts'

const Delivery = v.looseObject({
  id: v.number(),
  channel: v.string(),
  state: v.string(),
  attempts: v.number(),
  error: v.nullable(v.string()),
  event: v.looseObject({ at: v.string(), severity: v.string(), text: v.string() }),
})

const list = defineCommand({
  name: 'notification list',
  summary: 'List notifications, newest first, with how far each has come',
  description: ['Those that are "dead" were given up after three days: keepseal notification retry tries them again.'],
  examples: ['keepseal notification list --state dead'],
  options: {
    ...listOptions,
    state: {
      description: 'pending, sent or dead ones only.',
      value: choice(['pending', 'sent', 'dead']),
      placeholder: 'STATE',
    },
    channel: { description: 'Of this channel only.', value: text(32), placeholder: 'CHANNEL' },
  },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const { state, channel, limit = DEFAULT_ITEMS } = options
    const listed = await connect(options, terminal.env).list('/notifications', { state, channel }, Delivery, limit)
    const columns = [
      { title: 'ID', shrinks: false },
      { title: 'CHANNEL', shrinks: false },
      { title: 'STATE', shrinks: false, style: toneOf },
      { title: 'TRIES', shrinks: false },
      { title: 'SEVERITY', style: toneOf },
      { title: 'TEXT' },
    ]
    return presentList(
      context,
      listed,
      columns,
      ({ id, channel: way, state: how, attempts, error, event }) => [
        String(id),
        way,
        how,
        String(attempts),
        event.severity,
        error === null ? event.text : `${error}: ${event.text}`,
      ],
      'There is no such notification.',
    )
  },
})

const retry = defineCommand({
  name: 'notification retry',
  summary: 'Try again the notifications that were given up, or one of them',
  options: {
    ...connectionOptions,
    id: { description: 'This one only.', value: integer(1, Number.MAX_SAFE_INTEGER), placeholder: 'ID' },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const { id } = options
    const schema = v.object({ revived: v.number() })
    const answer = await connect(options, terminal.env).post(
      '/notifications/retry',
      id === undefined ? {} : { id },
      schema,
    )
    present(answer, () => `${answer.revived} will be tried again`)
    return exitCodes.good
  },
})

const WAIT_MS = 500
const PATIENCE_MS = 15_000

const test = defineCommand({
  name: 'notification test',
  summary: 'Send a test to one channel, and wait until it was taken',
  examples: ['keepseal notification test webhook'],
  arguments: { channel: { description: 'webhook, mail or syslog.', value: choice(['webhook', 'mail', 'syslog']) } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { channel }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const { eventNumber } = await client.post('/notifications/test', { channel }, v.object({ eventNumber: v.number() }))
    const schema = v.object({ items: v.array(Delivery) })
    for (let waited = 0; waited < PATIENCE_MS; waited += WAIT_MS) {
      await sleep(WAIT_MS)
      const [delivery] = (await client.get(`/notifications/events/${eventNumber}`, schema)).items
      if (delivery === undefined || (delivery.state === 'pending' && delivery.error === null)) continue
      const isSent = delivery.state === 'sent'
      present(delivery, () => (isSent ? 'taken' : `not taken: ${printable(delivery.error ?? delivery.state)}`))
      return isSent ? exitCodes.good : exitCodes.finding
    }
    const remedy = 'Is this channel configured, and does a collector with the role notify run?'
    present({ state: 'unknown' }, () => `not sent within ${PATIENCE_MS / 1000} s. ${remedy}`)
    return exitCodes.finding
  },
})

export const notificationCommands: readonly Command[] = [watchable(list), retry, test]
