import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll } from 'vitest'
import { enrolmentRoutes } from '../../collector/api/enrolment-routes.ts'
import type { EnrolmentDependencies } from '../../collector/trust/enrolment/dependencies.ts'
import type { createPki } from './pki.ts'

type Answering = (path: string, answer: string) => string | Promise<string>

export interface EnrolmentServerOptions {
  readonly pki: ReturnType<typeof createPki>
  /** Of the collector that a test has at this moment. */
  readonly dependencies: () => EnrolmentDependencies
  /** Is given each answer, which it may lose or exchange. */
  readonly answering?: Answering
}

/** The calls of enrolment and renewal over HTTPS, for all tests of a file. `url` can be asked for once they run. */
export function useEnrolmentServer({ pki, dependencies, answering }: EnrolmentServerOptions): { readonly url: string } {
  let server: FastifyInstance
  let url = ''
  beforeAll(async () => {
    const { key, cert } = pki.server()
    server = fastify({ https: { key, cert } })
    if (answering !== undefined) {
      server.addHook('onSend', async (request, _, payload) => answering(request.url, String(payload)))
    }
    await server.register(enrolmentRoutes, {
      requestsPerMinute: 10_000,
      dependencies: new Proxy({} as EnrolmentDependencies, {
        get: (_, name) => dependencies()[name as keyof EnrolmentDependencies],
      }),
    })
    await server.listen({ host: '127.0.0.1', port: 0 })
    url = `https://localhost:${(server.server.address() as AddressInfo).port}`
  })
  afterAll(() => server.close())
  return {
    get url() {
      return url
    },
  }
}
