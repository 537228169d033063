import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { CollectorConfig } from '../config/options.ts'
import type { DeviceChannel } from '../ingest/device-channel.ts'
import { EmbeddedBroker } from '../ingest/embedded-broker.ts'
import { ExternalBroker } from '../ingest/external-broker.ts'
import type { Store } from '../store/index.ts'

/** Replicas that take in share the messages by the name of this subscription. */
const GROUP = 'keepseal-collector'

/** The way to the devices that the configuration names; not started yet. */
export function channelOf(
  config: CollectorConfig,
  tls: { readonly key: string; readonly cert: string; readonly ca: string },
  store: Store,
  logger: Logger,
): DeviceChannel {
  const { broker, listenHost, listenPort } = config.mqtt
  if (broker === 'embedded') {
    return new EmbeddedBroker({ host: listenHost, port: listenPort, tls, store, logger })
  }
  const read = (path: string): string | undefined => (path === '' ? undefined : readFileSync(path, 'utf8'))
  const [ca, cert, key] = [config.mqtt.caFile, config.mqtt.clientCertificateFile, config.mqtt.clientKeyFile].map(read)
  const credentials = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return new ExternalBroker({ url: broker, tls: credentials, logger, group: GROUP })
}
