import { createServer, type Server, type TLSSocket } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import { Aedes, type Client } from 'aedes'
import type { Logger } from 'pino'
import { equal } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Store } from '../store/index.ts'
import { mayPublish, maySubscribe, ueidOfSubject } from './access-rules.ts'
import type { DeviceChannel } from './device-channel.ts'
import { gather } from './gather.ts'
import { keepSessions, SESSION_SECONDS } from './tls-sessions.ts'

export interface EmbeddedBrokerOptions {
  readonly host: string
  readonly port: number
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string }
  readonly store: Store
  readonly logger: Logger
}

/**
 * For how long that is gathered which a device is told that comes and goes, on a narrow link as a rule: its welcome, its
 * subscriptions and what is retained; and the acknowledgement of its report with the receipt. In milliseconds.
 */
const WELCOME_MS = 20
const RECEIPT_MS = 100

const nobody = (_topic: string, _bytes: Uint8Array): Promise<void> =>
  Promise.reject(new Error('nobody takes messages in here'))

/**
 * aedes behind TLS with client certificates: MQTT 3.1.1 for a collector that brings its own broker. Who may connect is
 * decided by the device registry, not by the certificate alone, so that a revoked device is out at once.
 */
export class EmbeddedBroker implements DeviceChannel {
  readonly #options: EmbeddedBrokerOptions
  readonly #devices = new WeakMap<Client, Ueid>()
  #broker: Aedes | undefined
  #server: Server | undefined

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.#server?.listening === true
  }

  /** Where it listens, after `start`. */
  get port(): number {
    const address = this.#server?.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async start(accept = nobody): Promise<void> {
    const { tls, host, port, logger } = this.#options
    const broker = await Aedes.createBroker({
      id: 'keepseal-collector',
      concurrency: 1000,
      queueLimit: 1000,
      connectTimeout: 30_000,
      preConnect: (client, packet, done) => {
        void this.#identify(client, packet.clientId ?? '').then(
          (known) => (known ? done(null, true) : done(new Error('not an enrolled device'), false)),
          (error: unknown) => done(error instanceof Error ? error : new Error('registry unavailable'), false),
        )
      },
      // Who it is was decided above. A refusal, as of another version of MQTT, is not gathered: it ends the connection.
      authenticate: (client, _user, _password, done) => {
        if (client.clean === false) gather(client.conn, WELCOME_MS)
        done(null, true)
      },
      authorizePublish: (client, packet, done) => {
        const ueid = client === null ? undefined : this.#devices.get(client)
        if (ueid === undefined || !mayPublish(ueid, packet.topic, packet.retain)) {
          return done(new Error(`publishing to ${packet.topic.slice(0, 64)} is not allowed`))
        }
        if (client?.clean === false) gather(client.conn, RECEIPT_MS)
        const bytes = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
        // The PUBACK waits for a place in the queue; a queue that is closed ends the connection, and it comes again.
        accept(packet.topic, bytes).then(() => done(null), done)
      },
      authorizeSubscribe: (client, subscription, done) => {
        const ueid = client === null ? undefined : this.#devices.get(client)
        done(null, ueid !== undefined && maySubscribe(ueid, subscription.topic) ? subscription : null)
      },
      // What devices send is for the collector alone; it was taken in above.
      authorizeForward: (_client, packet) => packet,
    })
    broker.on('clientError', (_client, error) => logger.debug({ err: error.message }, 'device connection ended'))
    broker.on('connectionError', (_client, error) => logger.debug({ err: error.message }, 'connection refused'))
    this.#broker = broker
    const server = createServer(
      {
        ...tls,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        handshakeTimeout: 15_000,
        sessionTimeout: SESSION_SECONDS,
        // The suites that are preferred here are as good; a device on a narrow link knows which are shorter.
        honorCipherOrder: false,
      },
      broker.handle,
    )
    keepSessions(server, () => performance.now())
    server.on('tlsClientError', (error) => logger.debug({ err: error.message }, 'TLS handshake failed'))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  }

  /** From the next connection on. */
  useCertificate({ key, cert }: { readonly key: string; readonly cert: string }): void {
    const { ca } = this.#options.tls
    this.#server?.setSecureContext({ key, cert, ca, minVersion: 'TLSv1.2' })
  }

  /** A device is who its current certificate says, under the client id that is the same name. */
  async #identify(client: Client, clientId: string): Promise<boolean> {
    const socket = client.conn as unknown as TLSSocket
    const certificate = socket.getPeerCertificate()
    const ueid = ueidOfSubject(certificate.subject)
    if (ueid === undefined || clientId !== ueid) return false
    const device = await this.#options.store.devices.byUeid(ueid)
    if (device === undefined || device.enrolment === 'revoked') return false
    const spki = new X509Certificate(certificate.raw).publicKey.export({ format: 'der', type: 'spki' })
    if (!equal(sha256(spki), device.tlsKeyHash)) return false
    this.#devices.set(client, ueid)
    return true
  }

  publish(topic: string, bytes: Uint8Array, { retain }: { readonly retain: boolean }): Promise<void> {
    const broker = this.#broker
    if (broker === undefined) return Promise.reject(new Error('the broker is not running'))
    const payload = Buffer.from(bytes)
    return new Promise((resolve, reject) => {
      const packet = { cmd: 'publish', topic, payload, qos: retain ? 0 : 1, retain, dup: false } as const
      broker.publish(packet, (error) => (error === undefined || error === null ? resolve() : reject(error)))
    })
  }

  disconnect(ueid: Ueid): void {
    const clients = (this.#broker as unknown as { clients?: Record<string, Client> } | undefined)?.clients
    clients?.[ueid]?.close()
  }

  /** Nobody new comes in. Who is here gets his answers; what he sends now is not taken, and ends his connection. */
  drain(): Promise<void> {
    this.#server?.close()
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    const [server, broker] = [this.#server, this.#broker]
    const closed = new Promise<void>((done) => (server === undefined ? done() : server.close(() => done())))
    // The broker ends its clients' connections, which the server waits for.
    await new Promise<void>((done) => (broker === undefined ? done() : broker.close(() => done())))
    await closed
  }
}
