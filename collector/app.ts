import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { KeepsealError } from '../shared/errors.ts'
import { coseKeyThumbprint } from '../shared/cose/key.ts'
import { hash, random as nodeRandom } from '../shared/crypto/node.ts'
import type { CollectorConfig } from './config/options.ts'
import { storeLocation } from './config/store-location.ts'
import { EmbeddedBroker } from './ingest/embedded-broker.ts'
import { EpochPublisher } from './ingest/epoch-publisher.ts'
import { ExternalBroker } from './ingest/external-broker.ts'
import type { DeviceChannel } from './ingest/device-channel.ts'
import { Ingest } from './ingest/ingest.ts'
import { RateLimiter } from './ingest/rate-limiter.ts'
import { BootCache, KeyCache } from './ingest/known-devices.ts'
import { ReleaseClock } from './ingest/judge-again.ts'
import { ImaPolicyCache } from './ingest/known-lists.ts'
import type { IngestDependencies } from './ingest/process-batch.ts'
import { SharedKnowledgeCache } from './ingest/steady/shared-knowledge.ts'
import { ReleaseCache } from './ingest/known-releases.ts'
import type { Handled } from './ingest/evidence-handler.ts'
import { createMetrics } from './metrics.ts'
import { channelsOf } from './notify/channels.ts'
import { Dispatcher } from './notify/dispatcher.ts'
import { startServers, type Servers } from './servers.ts'
import { Sweeper } from './sweeper.ts'
import { openStore } from './store/index.ts'
import { joinCollectors } from './store/leadership.ts'
import { DEFAULT_DEVICE_CERTIFICATE_LIFETIME_MS } from './trust/device-certificates.ts'
import { loadEndorsementAuthorities } from './trust/ek-roots.ts'
import { loadOrCreateKeys } from './trust/keys.ts'
import { DEFAULT_SERVER_NAMES, ensureServerCertificate } from './trust/server-certificate.ts'
import { readFileSync } from 'node:fs'

export interface CollectorOptions {
  readonly config: CollectorConfig
  readonly logger: Logger
  readonly version: string
  /** ms since 1970; the collector's clock is a root of trust. */
  readonly clock?: () => number
  /** Told of every decision, after it was stored. */
  readonly onHandled?: (handled: Handled) => void
}

const KEYS_CACHED = 10_000
const DAY_MS = 86_400_000
const DAILY_CONTENT_BYTES = 64 * 1024 * 1024
const RATED_DEVICES = 100_000
const PENDING_SECTION_BYTES = 16 * 1024 * 1024

/** A running collector: every part of it in one process. */
export interface Collector {
  readonly servers: Servers
  /** Port of the embedded broker; 0 with an external one. */
  readonly mqttPort: number
  readonly mqttUrl: string
  readonly dataDirectory: string
  stop(): Promise<void>
}

/** Starts everything, or nothing: what had begun is stopped again when a later part fails. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { config, logger, version, clock = Date.now } = options
  const stops: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    const dataDirectory = config.data.directory
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    const random = nodeRandom
    const keys = await loadOrCreateKeys({ dataDirectory, now: clock(), random })
    const location = await storeLocation(config)
    const leadership = await joinCollectors(location)
    stops.push(() => leadership.release())
    const { store, close } = await openStore(location)
    stops.push(close)

    const names = [...DEFAULT_SERVER_NAMES, hostname(), ...namesIn(config)]
    const certificate = await ensureServerCertificate({
      directory: keys.directory,
      authority: keys.authority,
      names,
      now: clock(),
      random,
    })
    const tls = { key: certificate.privateKey, cert: certificate.certificate, ca: keys.authority.certificate }
    const { authorities, skipped } = await loadEndorsementAuthorities(config.trust.ekRootsDirectory)
    for (const { path, reason } of skipped) logger.warn({ path, reason }, 'not a usable certificate of a TPM vendor')

    const channel = channelOf(config, tls, store, logger)
    const metrics = createMetrics(() => ingest.backlog)
    const onHandled = (handled: Handled): void => {
      metrics.handled(handled)
      options.onHandled?.(handled)
    }
    const deps: IngestDependencies = {
      keys: new KeyCache(KEYS_CACHED),
      boot: new BootCache(),
      policies: new ImaPolicyCache(),
      releases: new ReleaseCache(),
      shared: new SharedKnowledgeCache(),
      history: { keepOneIn: config.store.keepOneIn },
      policy: { freshnessWindowMs: config.freshness.windowSeconds * 1000, collectorId: keys.collectorId },
      random,
      collectorKeys: keys,
      sectionLimits: {
        contentBytes: config.limits.sectionBytes,
        pendingBytes: PENDING_SECTION_BYTES,
        budget: new RateLimiter({ capacity: DAILY_CONTENT_BYTES, periodMs: DAY_MS, devices: RATED_DEVICES }),
      },
      messageBytes: config.limits.messageBytes,
      receiptIntervalMs: config.receipts.minIntervalSeconds * 1000,
    }
    const ingest = new Ingest({
      store,
      clock,
      logger,
      deps,
      rate: {
        limiter: new RateLimiter({
          capacity: config.limits.deviceMessagesPerMinute,
          periodMs: 60_000,
          devices: RATED_DEVICES,
        }),
        excess: channel instanceof EmbeddedBroker ? 'delay' : 'drop',
      },
      publish: ({ topic, bytes }) => channel.publish(topic, bytes, { retain: false }),
      onHandled,
      onFailure: () => metrics.failed(),
    })
    ingest.start()
    stops.push(() => ingest.stop())
    const releaseClock = new ReleaseClock({ store, deps, clock, logger, onHandled })
    releaseClock.start()
    stops.push(() => releaseClock.stop())
    await channel.start((topic, bytes) => ingest.accept(topic, bytes))
    stops.push(() => channel.stop())

    const epochs = new EpochPublisher({
      store,
      keys,
      clock,
      random,
      logger,
      periodSeconds: config.freshness.epochPeriodSeconds,
      isLeader: () => leadership.isLeader(),
      publish: (topic, bytes, retain) => channel.publish(topic, bytes, retain),
    })
    await epochs.start()
    stops.push(() => epochs.stop())

    const isLeader = (): Promise<boolean> => leadership.isLeader()
    const channels = await channelsOf(config, { clock, version })
    const dispatcher = new Dispatcher({ store, channels, clock, logger, isLeader })
    dispatcher.start()
    stops.push(() => dispatcher.stop())
    const sweeper = new Sweeper({ store, retention: config.retention, clock, logger, isLeader })
    sweeper.start()
    stops.push(() => sweeper.stop())

    const mqttPort = channel instanceof EmbeddedBroker ? channel.port : 0
    const mqttUrl = publicMqttUrl(config, mqttPort)
    const servers = await startServers({
      config,
      version,
      logger,
      clock,
      random,
      store,
      tls: httpsIdentity(config, tls),
      metrics: metrics.registry,
      brokerIsConnected: () => channel.connected,
      deviceChanged: (ueid) => channel.disconnect(ueid),
      judgeAgain: () => releaseClock.look(true),
      enrolment: {
        store,
        keys,
        authorities,
        mqttUrl,
        certificateLifetimeMs: DEFAULT_DEVICE_CERTIFICATE_LIFETIME_MS,
        now: clock,
        random,
      },
    })
    stops.push(() => servers.stop())
    const thumbprint = Buffer.from(coseKeyThumbprint(keys.publicKey, hash)).toString('hex')
    logger.info({ mqttUrl, https: servers.httpsPort, collectorKey: thumbprint }, 'the collector is running')
    return { servers, mqttPort, mqttUrl, dataDirectory, stop }
  } catch (error) {
    await stop().catch((cause: unknown) => logger.error({ err: cause }, 'stopping after a failed start'))
    throw error
  }
}

function channelOf(
  config: CollectorConfig,
  tls: { key: string; cert: string; ca: string },
  store: ConstructorParameters<typeof EmbeddedBroker>[0]['store'],
  logger: Logger,
): DeviceChannel {
  const { broker, listenHost, listenPort } = config.mqtt
  if (broker === 'embedded') {
    return new EmbeddedBroker({ host: listenHost, port: listenPort, tls, store, logger })
  }
  const read = (path: string): string | undefined => (path === '' ? undefined : readFileSync(path, 'utf8'))
  const [ca, cert, key] = [config.mqtt.caFile, config.mqtt.clientCertificateFile, config.mqtt.clientKeyFile].map(read)
  const credentials = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return new ExternalBroker({ url: broker, tls: credentials, logger, group: 'keepseal-collector' })
}

/** The operator's own certificate for people and enrolling devices, where one is given; the broker keeps the collector's. */
function httpsIdentity({ http }: CollectorConfig, own: { key: string; cert: string }): { key: string; cert: string } {
  if (http.certificateFile === '') return own
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw new KeepsealError('file.unreadable', path, { cause })
    }
  }
  return { key: read(http.keyFile), cert: read(http.certificateFile) }
}

/** Host names by which devices and people are told to come. */
function namesIn(config: CollectorConfig): string[] {
  return [config.http.publicUrl, config.mqtt.publicUrl].filter((url) => url !== '').map((url) => new URL(url).hostname)
}

function publicMqttUrl({ mqtt, http }: CollectorConfig, port: number): string {
  if (mqtt.publicUrl !== '') return mqtt.publicUrl
  if (mqtt.broker !== 'embedded') return mqtt.broker
  const host = http.publicUrl === '' ? hostname() : new URL(http.publicUrl).hostname
  return `mqtts://${host}:${port}`
}
