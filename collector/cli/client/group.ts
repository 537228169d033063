import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { labelText } from './device-view.ts'
import { Group, groupIdOf, labelsOf } from './group-reference.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { connectionOptions } from './settings.ts'

const create = defineCommand({
  name: 'group create',
  summary: 'Name the devices that have all of some labels',
  description: ['A device is in the group as long as it has all of them: nobody keeps a list.'],
  examples: ['keepseal group create "plant 7" site=plant-7'],
  arguments: {
    name: { description: 'Name of the group.' },
    labels: { description: 'Labels that its devices have, as KEY=VALUE.', multiple: true },
  },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { name, labels }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const made = await client.post('/device-groups', { name, labels: labelsOf(labels) }, Group)
    present(made, () => printable(made.id))
    return exitCodes.good
  },
})

const list = defineCommand({
  name: 'group list',
  summary: 'List groups of devices, newest first',
  options: listOptions,
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const { limit = DEFAULT_ITEMS } = options
    const listed = await connect(options, terminal.env).list('/device-groups', {}, Group, limit)
    const columns = [{ title: 'GROUP', shrinks: false }, { title: 'LABELS' }]
    const none = 'There is no group: keepseal group create NAME KEY=VALUE'
    return presentList(context, listed, columns, ({ name, labels }) => [name, labelText(labels)], none)
  },
})

const remove = defineCommand({
  name: 'group remove',
  summary: 'Forget a group; its devices keep their labels',
  arguments: { group: { description: 'Name or id of the group.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { group }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const id = await groupIdOf(client, group)
    const removed = await client.post(`/device-groups/${encodeURIComponent(id)}/remove`, {}, Group)
    present(removed, () => 'removed')
    return exitCodes.good
  },
})

export const groupCommands: readonly Command[] = [create, list, remove]
