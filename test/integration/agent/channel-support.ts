import { setTimeout as sleep } from 'node:timers/promises'
import { MqttChannel, type ChannelOptions } from '../../../agent/transport/mqtt-channel.ts'
import type { TestPki } from '../../support/pki.ts'
import { UEID } from './channel-ueid.ts'

export { UEID } from './channel-ueid.ts'

export interface RecordedChannel {
  readonly channel: MqttChannel
  readonly connected: string[]
  readonly disconnected: string[]
  readonly epochs: string[]
  readonly down: string[]
}

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
export const bytes = (content: string): Uint8Array => Buffer.from(content, 'latin1')

/** A channel of the device UEID to localhost, with quick retries, that writes down what happens to it. */
export function recordChannel(port: number, pki: TestPki, changes: Partial<ChannelOptions> = {}): RecordedChannel {
  const [connected, disconnected, epochs, down]: string[][] = [[], [], [], []]
  const log = { connected: connected ?? [], disconnected: disconnected ?? [], epochs: epochs ?? [], down: down ?? [] }
  const { key, cert } = pki.device(UEID)
  const channel = new MqttChannel({
    url: `mqtts://localhost:${port}`,
    ueid: UEID,
    tls: { privateKey: key, certificate: cert, certificateAuthority: pki.authority },
    protocol: 'auto',
    random: () => 0.5,
    backoff: { baseMs: 40, maxMs: 80 },
    publishTimeoutMs: 2_000,
    events: {
      onConnected: ({ version }) => log.connected.push(version),
      onDisconnected: (reason) => log.disconnected.push(reason),
      onEpoch: (message) => log.epochs.push(text(message)),
      onRestorePoint: () => undefined,
      onDown: (message) => log.down.push(text(message)),
    },
    ...changes,
  })
  channel.start()
  return { channel, ...log }
}

/** Waits until `holds`, for at most ten seconds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 10) {
    if (holds()) return
    await sleep(10)
  }
  throw new Error('waited in vain')
}

export async function elapsed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}
