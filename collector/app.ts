import { mkdir } from 'node:fs/promises'
import { hostname, uptime } from 'node:os'
import type { Logger } from 'pino'
import { toHex } from '../shared/bytes/bytes.ts'
import { coseKeyThumbprint } from '../shared/cose/key.ts'
import { hash, random } from '../shared/crypto/node.ts'
import { digestOfCatalogue } from '../shared/maturity/catalogue/catalogue.ts'
import type { ReadinessCheck } from './api/services.ts'
import type { CollectorConfig } from './config/options.ts'
import { storeLocation } from './config/store-location.ts'
import { EmbeddedBroker } from './ingest/embedded-broker.ts'
import type { Handled } from './ingest/evidence-handler.ts'
import { loadCatalogue } from './maturity/catalogue-file.ts'
import { Attendance } from './liveness/attendance.ts'
import { CLOCK_TOLERANCE_MS, ClockGuard, tellOfStep } from './liveness/clock-guard.ts'
import { ClockWatch } from './liveness/clock-watch.ts'
import { untilPlausible, type Implausible } from './liveness/plausible.ts'
import { horizonOf } from './liveness/watch.ts'
import { createMetrics } from './metrics.ts'
import { namesIn, publicMqttUrl, startApiRole } from './roles/api.ts'
import { channelOf } from './roles/channel.ts'
import { ingestDependencies } from './roles/dependencies.ts'
import type { ConnectedFoundation, Foundation } from './roles/foundation.ts'
import { startIngest } from './roles/ingest.ts'
import { livenessPolicyOf } from './roles/liveness-policy.ts'
import { startNotify } from './roles/notify.ts'
import { startTracker } from './roles/tracker.ts'
import { startMetrics, type Servers } from './servers.ts'
import { openStore, type Store } from './store/index.ts'
import { joinCollectors } from './store/leadership.ts'
import type { LivenessTime } from './tracking/liveness.ts'
import { CertificateWatch } from './trust/certificate-watch.ts'
import { loadOrCreateKeys } from './trust/keys.ts'
import { DEFAULT_SERVER_NAMES, ensureServerCertificate } from './trust/server-certificate.ts'

export interface CollectorOptions {
  readonly config: CollectorConfig
  readonly logger: Logger
  readonly version: string
  /** ms since 1970; the collector's clock is a root of trust. */
  readonly clock?: () => number
  /** ms of a clock that never jumps; by it steps of the other one are found. */
  readonly monotonic?: () => number
  /** Somebody has looked: the clock is right although the database knows of a later time. */
  readonly clockIsRight?: boolean
  /** Told when the start begins to wait for the clock, and why: it can last for as long as nobody sets it right. */
  readonly onWaiting?: (why: string) => void
  /** Ends a start that waits for the clock. */
  readonly signal?: AbortSignal
  /** Told of every decision, after it was stored. */
  readonly onHandled?: (handled: Handled) => void
}

/** A running collector, with the roles that its configuration names. */
export interface Collector {
  readonly servers: Servers
  /** Port of the embedded broker; 0 with an external one. */
  readonly mqttPort: number
  readonly mqttUrl: string
  readonly dataDirectory: string
  /** Takes nothing new in, decides what is here, sends the answers, lets others lead, and ends: in this order. */
  stop(): Promise<void>
}

/** Starts all of its roles, or nothing: what had begun is stopped again when a later part fails. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { config, logger, version } = options
  const wall = options.clock ?? Date.now
  const has = (role: CollectorConfig['serve']['roles'][number]): boolean => config.serve.roles.includes(role)
  const stops: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    const dataDirectory = config.data.directory
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    const location = await storeLocation(config)
    const leadership = await joinCollectors(location)
    stops.push(() => leadership.release())
    const { store, close } = await openStore(location)
    stops.push(close)
    const metrics = createMetrics()
    const readiness: ReadinessCheck[] = []
    const metricsServer = await startMetrics({ config, metrics: metrics.registry, store, readiness })
    stops.push(() => metricsServer.stop())
    await plausibleClock(options, wall, store, readiness)

    const replica = toHex(random(8))
    let clockWatch: ClockWatch | undefined
    const guard: ClockGuard = new ClockGuard({
      wall,
      monotonic: options.monotonic ?? (() => uptime() * 1000),
      toleranceMs: CLOCK_TOLERANCE_MS,
      onStep: (step, at) => {
        tellOfStep(step, logger)
        clockWatch?.stepped(step, at)
      },
    })
    const clock = guard.now
    clockWatch = new ClockWatch({ store, clock, logger, replica, machine: hostname() })
    clockWatch.start()
    const watching = clockWatch
    stops.push(() => watching.stop())
    const keys = await loadOrCreateKeys({ dataDirectory, now: clock(), random })
    const names = [...DEFAULT_SERVER_NAMES, hostname(), ...namesIn(config)]
    const { directory, authority, authorities } = keys
    const order = { directory, authority, authorities, names, now: clock(), random }
    const certificate = await ensureServerCertificate(order)
    metrics.watchClock(() => guard.step?.offsetMs ?? 0)
    const catalogue = loadCatalogue(config.catalogue.file)
    logger.info({ digest: digestOfCatalogue(catalogue, hash), version: catalogue.version }, 'catalogue of practices')
    const onHandled = (handled: Handled): void => {
      metrics.handled(handled)
      options.onHandled?.(handled)
    }
    const policy = livenessPolicyOf(config)
    const horizonMs = horizonOf(policy)
    const attendance = new Attendance({ store, clock, logger, replica, horizonMs })
    const livenessTime = (): LivenessTime => ({ policy, now: clock(), downtime: attendance.downtime })
    const deps = ingestDependencies(config, keys, store, catalogue, random, () => attendance.downtime)
    const basis = { config, catalogue, logger, version, clock, random, keys, store, leadership, metrics }
    const own: Foundation = { ...basis, deps, onHandled, attendance, livenessTime }

    const tls = { key: certificate.privateKey, cert: certificate.certificate, ca: authorities }
    const channel = has('ingest') || has('tracker') ? channelOf(config, tls, store, logger) : undefined
    const connected: ConnectedFoundation | undefined = channel && { ...own, channel }
    if (channel !== undefined) stops.push(() => channel.stop())
    if (connected !== undefined && has('ingest')) {
      const ingest = await startIngest(connected)
      stops.push(() => ingest.stop())
    } else {
      await channel?.start()
    }
    await attendance.start()
    stops.push(() => attendance.stop())
    stops.push(() => leadership.resign())
    const tracker = connected !== undefined && has('tracker') ? await startTracker(connected) : undefined
    if (tracker !== undefined) stops.push(() => tracker.stop())
    if (has('notify')) {
      const notify = await startNotify(own)
      stops.push(() => notify.stop())
    }

    const mqttPort = channel instanceof EmbeddedBroker ? channel.port : 0
    const mqttUrl = publicMqttUrl(config, mqttPort)
    const running = channel === undefined ? [] : [brokerCheck(() => channel.connected)]
    readiness.splice(0, readiness.length, ...running)
    const stated = keys.succession?.newest.mqttUrl
    if (stated !== undefined && stated !== mqttUrl) {
      logger.warn({ configured: mqttUrl, stated }, 'devices are told the broker of the last `keys rotate`')
    }
    const surroundings = {
      certificate,
      mqttUrl: stated ?? mqttUrl,
      readiness,
      channel,
      tracker,
      clockStep: () => guard.step,
    }
    const api = has('api') ? await startApiRole(own, surroundings) : undefined
    if (api !== undefined) stops.push(() => api.stop())
    const certificates = new CertificateWatch({
      current: certificate,
      ensure: () => ensureServerCertificate({ ...order, now: clock() }),
      use: ({ privateKey: key, certificate: cert }) => {
        if (channel instanceof EmbeddedBroker) channel.useCertificate({ key, cert })
        api?.useCertificate({ key, cert })
      },
      logger,
    })
    certificates.start()
    stops.push(() => certificates.stop())
    const { httpsPort = 0, plainPort = 0 } = api ?? {}
    const servers = { httpsPort, plainPort, metricsPort: metricsServer.port }
    const thumbprint = Buffer.from(coseKeyThumbprint(keys.publicKey, hash)).toString('hex')
    const { roles } = config.serve
    logger.info({ roles, mqttUrl, https: servers.httpsPort, collectorKey: thumbprint }, 'the collector is running')
    return { servers, mqttPort, mqttUrl, dataDirectory, stop }
  } catch (error) {
    await stop().catch((cause: unknown) => logger.error({ err: cause }, 'stopping after a failed start'))
    throw error
  }
}

/** Waits for a clock that can be right; meanwhile the process says of itself that it is not ready, and why. */
async function plausibleClock(
  { logger, signal, onWaiting, clockIsRight = false }: CollectorOptions,
  wall: () => number,
  store: Store,
  readiness: ReadinessCheck[],
): Promise<void> {
  let waitsFor: Implausible | undefined
  const newest = (): Promise<number | null> => newestMoment(store)
  readiness.push({
    name: 'start',
    check: async () => {
      throw new Error(waitsFor === undefined ? 'the collector is starting' : reasonOf(waitsFor))
    },
  })
  await untilPlausible({ wall, newest, isRight: clockIsRight, logger, signal }, (found) => {
    if (found !== undefined && waitsFor === undefined) onWaiting?.(reasonOf(found))
    waitsFor = found
  })
}

const reasonOf = ({ notBefore }: Implausible): string =>
  `the clock is before ${new Date(notBefore).toISOString()}, which is waited for`

/** What the database knows of the time: when any collector was there, issued an epoch, or was put back. */
async function newestMoment(store: Store): Promise<number | null> {
  const epoch = await store.epochs.current()
  const moments = [
    await store.collectorIntervals.newest(),
    epoch?.issuedAt,
    (await store.restorePoints.newest())?.restoredAt,
  ].filter((moment) => typeof moment === 'number')
  return moments.length === 0 ? null : Math.max(...moments)
}

function brokerCheck(isConnected: () => boolean): ReadinessCheck {
  return {
    name: 'broker',
    check: async () => {
      if (!isConnected()) throw new Error('the broker is not connected')
    },
  }
}
