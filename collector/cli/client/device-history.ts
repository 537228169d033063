import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { connect } from './api.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { timeText, toneOf } from './text.ts'
import { watchable } from './watch/watchable.ts'

const Transition = v.looseObject({
  at: v.string(),
  axis: v.string(),
  from: v.nullable(v.string()),
  to: v.string(),
  cause: v.nullable(v.string()),
})

const history = defineCommand({
  name: 'device history',
  summary: 'List what became of a device on each axis, when and why',
  arguments: { ueid: { description: 'Id of the device, as `device list` shows it.' } },
  options: listOptions,
  json: true,
  run: async (context) => {
    const { options, terminal, arguments: given } = context
    const path = `/devices/${encodeURIComponent(given.ueid.toLowerCase())}/history`
    const { limit = DEFAULT_ITEMS } = options
    const listed = await connect(options, terminal.env).list(path, {}, Transition, limit)
    const columns = [
      { title: 'WHEN', shrinks: false },
      { title: 'AXIS', shrinks: false },
      { title: 'BECAME', style: toneOf },
      { title: 'CAUSE' },
    ]
    return presentList(
      context,
      listed,
      columns,
      ({ at, axis, to, cause }) => [timeText(at), axis, to, cause ?? '-'],
      'Nothing has become of it yet.',
    )
  },
})

export const deviceHistoryCommands: readonly Command[] = [watchable(history)]
