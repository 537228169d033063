import { DEFAULT_SOCKET } from './protocol.ts'

/** The options of `keepseal-measure`, as its help and its manual page tell them. */
export const measureOptions = {
  listen: {
    type: 'string',
    placeholder: 'PATH',
    description: `wait for connections at PATH (the agent's default: ${DEFAULT_SOCKET})`,
  },
  group: {
    type: 'string',
    placeholder: 'NAME',
    description: 'with --listen: the group whose members may connect, such as keepseal-agent',
  },
  version: { type: 'boolean', description: 'show the version' },
  help: { type: 'boolean', short: 'h', description: 'show this help' },
} as const

export const MEASURE_SUMMARY = 'looks at what takes privileges, for the agent, and ends'

export const MEASURE_USE =
  'Without options it serves the connection on its standard input, which is how systemd starts it.'
