import { createHelper, type Helper } from '../measure/client/helper.ts'
import type { Refusal } from '../measure/client/asked.ts'
import { good, type Check, type CheckContext } from './check.ts'

/** How a helper comes to be there. */
export const START_HELPER =
  'systemctl enable --now keepseal-measure.socket, or without systemd, as root: ' +
  'keepseal-measure --listen /run/keepseal/measure.sock --group keepseal-agent'

const REMEDIES: Readonly<Record<Refusal, string>> = {
  'untrusted-socket': 'Let root own the socket and its directory, and let nobody else write there.',
  'no-permission': 'Put the user of the service into the group of the socket: SocketGroup= in keepseal-measure.socket.',
  'no-answer': 'See why it ended: journalctl -u "keepseal-measure@*"',
  late: 'See what takes so long: journalctl -u "keepseal-measure@*"',
  'too-large': 'Please report it with the output of: keepseal-agent once --print --json',
  malformed: 'Install agent and helper of one version, and restart the agent.',
  'other-system': 'Start the helper on the system that the agent measures (host.root), not in another container.',
}

export const helperOf = ({ config, host }: CheckContext): Helper =>
  createHelper({ socket: config.measure.socket, host })

export const helper: Check = {
  id: 'helper',
  title: 'Privileged helper',
  async run(context) {
    const asked = await helperOf(context).sections()
    switch (asked.status) {
      case 'answered': {
        const { readings, cpuMs } = asked.answer
        return good(`measures ${readings.map(({ section }) => section).join(', ')}, ${cpuMs} ms`)
      }
      case 'absent':
        return { status: 'warning', detail: `not there: ${asked.detail}`, remedy: START_HELPER }
      default:
        return { status: 'failed', detail: `refused: ${asked.detail}`, remedy: REMEDIES[asked.reason] }
    }
  },
}
