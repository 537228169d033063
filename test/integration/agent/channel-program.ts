import { readFileSync } from 'node:fs'
import { MqttChannel } from '../../../agent/transport/mqtt-channel.ts'
import type { TlsIdentity } from '../../../agent/state/identity.ts'
import { upstreamTopic } from '../../../shared/evidence/topics.ts'
import { UEID } from './channel-ueid.ts'

/** A process that connects, publishes one message, and ends by itself: nothing of the channel keeps it alive. */
const [, , port = '', tlsFile = ''] = process.argv
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const channel = new MqttChannel({
  url: `mqtts://localhost:${port}`,
  ueid: UEID,
  tls: JSON.parse(readFileSync(tlsFile, 'utf8')) as TlsIdentity,
  protocol: 'auto',
  random: Math.random,
  events: {
    onConnected: ({ version }) => {
      say(`connected by ${version}`)
      void channel
        .publish(upstreamTopic(UEID, 'evidence'), Buffer.from('one'))
        .then(() => say('acknowledged'))
        .then(() => channel.close())
        .then(() => say('closed'))
    },
    onEpoch: () => undefined,
    onRestorePoint: () => undefined,
    onDown: () => undefined,
    onDisconnected: (reason) => say(reason),
  },
})
channel.start()
