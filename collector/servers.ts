import { Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import type { Registry } from 'prom-client'
import type { RandomFunction } from '../shared/crypto/crypto.ts'
import type { Catalogue } from '../shared/maturity/catalogue/schema.ts'
import type { Ueid } from '../shared/evidence/identifiers.ts'
import type { OidcProvider } from './access/oidc/provider.ts'
import { buildApi } from './api/app.ts'
import { enrolmentRoutes } from './api/enrolment-routes.ts'
import { metricsHandler, operationsRoutes } from './api/operations.ts'
import type { ApiServices, ReadinessCheck } from './api/services.ts'
import type { CollectorConfig } from './config/options.ts'
import type { DecideAgain } from './ingest/decide-again.ts'
import type { DecisionBook } from './decisions/decision-book.ts'
import { publishedFacts } from './decisions/published-facts.ts'
import type { ClockStep } from './liveness/clock-guard.ts'
import type { Store } from './store/index.ts'
import type { LivenessTime } from './tracking/liveness.ts'
import type { EnrolmentDependencies } from './trust/enrolment/dependencies.ts'

/** The listeners of a collector. Ports are those that were really taken. */
export interface Servers {
  /** 0 without the API. */
  readonly httpsPort: number
  /** 0 when no plain server was asked for. */
  readonly plainPort: number
  readonly metricsPort: number
}

export interface ApiServerOptions {
  readonly config: CollectorConfig
  readonly version: string
  /** Where people and programs reach it. */
  readonly publicUrl: string
  readonly oidc: OidcProvider | null
  readonly clock: () => number
  readonly random: RandomFunction
  readonly store: Store
  readonly decisions: DecisionBook
  readonly catalogue: Catalogue
  readonly tls: { readonly key: string; readonly cert: string }
  readonly metrics: Registry
  readonly livenessTime: () => LivenessTime
  readonly readiness: readonly ReadinessCheck[]
  readonly clockStep: () => ClockStep | undefined
  readonly deviceChanged: (ueid: Ueid) => void
  readonly judgeAgain: () => void
  readonly decideAgain: DecideAgain
  readonly enrolment: EnrolmentDependencies
}

export interface RunningApi {
  readonly httpsPort: number
  readonly plainPort: number
  /** From the next connection on. */
  useCertificate(tls: { readonly key: string; readonly cert: string }): void
  stop(): Promise<void>
}

const portOf = (server: FastifyInstance): number => {
  const address = server.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** For people and for enrolling devices. */
export async function startApi(options: ApiServerOptions): Promise<RunningApi> {
  const { http } = options.config
  const running: FastifyInstance[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((server) => server.close()))
  }
  try {
    const services = servicesOf(options)
    const tls = { certificate: options.tls.cert, key: options.tls.key }
    const https = await buildApi({ ...services, metricsRegistry: options.metrics }, tls)
    running.push(https)
    await https.register(enrolmentRoutes, { dependencies: options.enrolment })
    await https.listen({ host: http.host, port: http.port })

    let plain: FastifyInstance | undefined
    if (http.plain) {
      // For a browser on this machine: no certificate to accept, and reachable from nowhere else.
      plain = await buildApi(services)
      running.push(plain)
      await plain.listen({ host: '127.0.0.1', port: http.plainPort })
    }
    const { server } = https
    return {
      httpsPort: portOf(https),
      plainPort: plain === undefined ? 0 : portOf(plain),
      useCertificate: ({ key, cert }) => {
        if (server instanceof TlsServer) server.setSecureContext({ key, cert, minVersion: 'TLSv1.2' })
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

export interface MetricsServerOptions {
  readonly config: CollectorConfig
  readonly metrics: Registry
  readonly store: Store
  readonly readiness: readonly ReadinessCheck[]
}

/** GET /metrics, and /healthz and /readyz for processes that serve no API. */
export async function startMetrics({
  config,
  metrics,
  store,
  readiness,
}: MetricsServerOptions): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = fastify({ logger: false })
  server.get('/metrics', metricsHandler(metrics))
  await server.register(operationsRoutes, { store, readiness })
  await server.listen({ host: config.metrics.host, port: config.metrics.port })
  return { port: portOf(server), stop: () => server.close() }
}

function servicesOf(options: ApiServerOptions): ApiServices {
  return {
    store: options.store,
    decisions: options.decisions,
    catalogue: options.catalogue,
    clock: options.clock,
    random: options.random,
    version: options.version,
    publicUrl: options.publicUrl,
    oidc: options.oidc,
    plainPort: options.config.http.plain ? options.config.http.plainPort : null,
    keys: options.enrolment.keys,
    bundleSigners: options.config.advisories.bundleSigners,
    livenessTime: options.livenessTime,
    readiness: options.readiness,
    clockStep: options.clockStep,
    statusPage: 'loopback',
    deviceChanged: options.deviceChanged,
    judgeAgain: options.judgeAgain,
    decideAgain: options.decideAgain,
    ...publishedFacts(options.store),
  }
}
