import { DecisionBook } from './decisions/decision-book.ts'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { RandomFunction } from '../shared/crypto/crypto.ts'
import type { Ueid } from '../shared/evidence/identifiers.ts'
import { buildApi } from './api/app.ts'
import { enrolmentRoutes } from './api/enrolment-routes.ts'
import { metricsHandler } from './api/operations.ts'
import type { ApiServices } from './api/services.ts'
import type { CollectorConfig } from './config/options.ts'
import type { Store } from './store/index.ts'
import type { EnrolmentDependencies } from './trust/enrolment/dependencies.ts'

export interface ServersOptions {
  readonly config: CollectorConfig
  readonly version: string
  readonly logger: Logger
  readonly clock: () => number
  readonly random: RandomFunction
  readonly store: Store
  readonly tls: { readonly key: string; readonly cert: string }
  readonly metrics: Registry
  readonly brokerIsConnected: () => boolean
  readonly deviceChanged: (ueid: Ueid) => void
  readonly judgeAgain: () => void
  readonly enrolment: EnrolmentDependencies
}

/** The listeners for people and for enrolling devices. Ports are those that were really taken. */
export interface Servers {
  readonly httpsPort: number
  /** 0 when no plain server was asked for. */
  readonly plainPort: number
  readonly metricsPort: number
  stop(): Promise<void>
}

const portOf = (server: FastifyInstance): number => {
  const address = server.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

export async function startServers(options: ServersOptions): Promise<Servers> {
  const { http, metrics: metricsConfig } = options.config
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

    const metrics = fastify({ logger: false })
    running.push(metrics)
    metrics.get('/metrics', metricsHandler(options.metrics))
    await metrics.listen({ host: metricsConfig.host, port: metricsConfig.port })
    const plainPort = plain === undefined ? 0 : portOf(plain)
    return { httpsPort: portOf(https), plainPort, metricsPort: portOf(metrics), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function servicesOf(options: ServersOptions): ApiServices {
  const { liveness } = options.config
  return {
    store: options.store,
    decisions: new DecisionBook(options.store),
    clock: options.clock,
    random: options.random,
    version: options.version,
    keys: options.enrolment.keys,
    liveness: {
      intervalMs: liveness.reportIntervalSeconds * 1000,
      staleIntervals: liveness.staleIntervals,
      silentAfterMs: liveness.silentAfterSeconds * 1000,
    },
    readiness: [
      {
        name: 'broker',
        check: async () => {
          if (!options.brokerIsConnected()) throw new Error('the broker is not connected')
        },
      },
    ],
    statusPage: 'loopback',
    deviceChanged: options.deviceChanged,
    judgeAgain: options.judgeAgain,
  }
}
