import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { KeepsealError } from '../../shared/errors.ts'
import { oidcProviderOf } from '../access/oidc/configured.ts'
import type { ReadinessCheck } from '../api/services.ts'
import type { CollectorConfig } from '../config/options.ts'
import type { DeviceChannel } from '../ingest/device-channel.ts'
import { decideAgain } from '../ingest/decide-again.ts'
import type { ClockStep } from '../liveness/clock-guard.ts'
import { ReleaseClock } from '../ingest/judge-again.ts'
import { startApi, type RunningApi } from '../servers.ts'
import { DEFAULT_DEVICE_CERTIFICATE_LIFETIME_MS } from '../trust/device-certificates.ts'
import { loadEndorsementAuthorities } from '../trust/ek-roots.ts'
import type { ServerCertificate } from '../trust/server-certificate.ts'
import type { Foundation } from './foundation.ts'
import type { RunningTracker } from './tracker.ts'

export interface ApiSurroundings {
  readonly certificate: ServerCertificate
  /** Address of the broker that devices get at enrolment. */
  readonly mqttUrl: string
  readonly readiness: readonly ReadinessCheck[]
  /** Where this process has it. */
  readonly channel: DeviceChannel | undefined
  readonly tracker: RunningTracker | undefined
  /** Of this process's machine; undefined while it is trusted. */
  readonly clockStep: () => ClockStep | undefined
}

/** People, programs, and devices that enrol. */
export async function startApiRole(foundation: Foundation, surroundings: ApiSurroundings): Promise<RunningApi> {
  const { config, catalogue, store, deps, keys, clock, random, logger, metrics } = foundation
  const { version, onHandled, livenessTime } = foundation
  const { certificate, mqttUrl, readiness, channel, tracker, clockStep } = surroundings
  const { authorities, skipped } = await loadEndorsementAuthorities(config.trust.ekRootsDirectory)
  for (const { path, reason } of skipped) logger.warn({ path, reason }, 'not a usable certificate of a TPM vendor')
  // A tracker elsewhere would find out by itself, but some seconds later, and not what was decided about one device.
  const releaseClock = tracker === undefined ? new ReleaseClock({ store, deps, clock, logger, onHandled }) : undefined
  const api = await startApi({
    config,
    version,
    publicUrl: publicHttpUrl(config),
    oidc: await oidcProviderOf(config, publicHttpUrl(config), clock),
    clock,
    random,
    store,
    decisions: deps.decisions,
    catalogue,
    tls: httpsIdentity(config, { key: certificate.privateKey, cert: certificate.certificate }),
    metrics: metrics.registry,
    livenessTime,
    readiness,
    clockStep,
    deviceChanged: (ueid) => channel?.disconnect(ueid),
    judgeAgain: () => (tracker === undefined ? releaseClock?.look(true) : tracker.judgeAgain()),
    decideAgain: decideAgain({
      store,
      deps,
      clock,
      onHandled,
      publish: channel && (({ topic, bytes }) => channel.publish(topic, bytes, { retain: false })),
    }),
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
  return {
    ...api,
    // Where the operator gives one of his own, its file is read again.
    useCertificate: (own) => api.useCertificate(httpsIdentity(config, own)),
    async stop() {
      await api.stop()
      await releaseClock?.stop()
    },
  }
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
export function namesIn(config: CollectorConfig): string[] {
  return [config.http.publicUrl, config.mqtt.publicUrl].filter((url) => url !== '').map((url) => new URL(url).hostname)
}

export const publicHttpUrl = ({ http }: CollectorConfig): string =>
  http.publicUrl === '' ? `https://${hostname()}:${http.port}` : http.publicUrl

/** `port`: of the embedded broker. */
export function publicMqttUrl({ mqtt, http }: CollectorConfig, port: number): string {
  if (mqtt.publicUrl !== '') return mqtt.publicUrl
  if (mqtt.broker !== 'embedded') return mqtt.broker
  const host = http.publicUrl === '' ? hostname() : new URL(http.publicUrl).hostname
  return `mqtts://${host}:${port}`
}
