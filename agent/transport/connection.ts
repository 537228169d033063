import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { KeepsealError } from '../../shared/errors.ts'
import { MqttClient, writeToStream } from './mqtt-client.ts'

export type MqttVersion = 4 | 5

export interface ConnectionOptions {
  readonly version: MqttVersion
  readonly clientId: string
  /** Absent for a client that comes and goes. */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array } | undefined
  /** Asked for as well, and first; a broker that does not know them may refuse them. */
  readonly wishes: Readonly<Record<string, { readonly qos: 0 | 1 }>>
  readonly subscriptions: Readonly<Record<string, { readonly qos: 0 | 1 }>>
  /** For how long the broker keeps the subscriptions of a client that comes and goes; 0: not at all. */
  readonly sessionSeconds: number
  /**
   * What is retained is told only to who asks for it, also by a broker that has kept the subscriptions. So a client that
   * comes again asks for this filter, in one packet with its greeting. A broker that refuses it is asked for everything.
   */
  readonly retained?: string | undefined
  readonly openStream: () => Socket
  readonly keepaliveSeconds: number
  /** For all that comes before `onReady`. */
  readonly connectTimeoutMs: number
  /** The broker took the connection and all subscriptions. `resumed`: by the TLS session of an earlier one. */
  readonly onReady: (resumed: boolean) => void
  readonly onMessage: (topic: string, payload: Uint8Array) => void
  /** Called once, last of all. */
  readonly onClosed: (reason: ClosedReason) => void
}

export interface ClosedReason {
  readonly text: string
  /** The broker does not speak this version of MQTT. */
  readonly wrongVersion: boolean
}

/** CONNACK codes for a version that is not spoken: MQTT 3.1.1, table 3.1; MQTT 5.0, section 3.2.2.2. */
const WRONG_VERSION: ReadonlySet<unknown> = new Set([1, 132])

/** Number of the subscription that goes with the greeting. It is answered before anything else is numbered. */
const EARLY_ID = 1

/**
 * One MQTT connection, from dialling to its end. Each has a client of its own, so nothing that one has left undone
 * is carried into the next: what was not acknowledged is in the outbox, not in a second store in memory.
 */
export class MqttConnection {
  readonly #client: MqttClient
  readonly #options: ConnectionOptions
  readonly #pending = new Set<(error: KeepsealError) => void>()
  readonly #setUp: NodeJS.Timeout
  #failure: ClosedReason | undefined
  #closing = false
  #closed = false
  #ready = false
  #received = 0
  readonly #early: { areKept?: boolean; isGranted?: boolean } | undefined
  #probe: NodeJS.Timeout | undefined
  #whenClosed: () => void = () => undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { will } = options
    const openStream = (): Socket => {
      const stream = options.openStream()
      if (options.retained !== undefined) stream.cork()
      return stream
    }
    this.#client = new MqttClient(openStream, {
      clientId: options.clientId,
      protocolId: 'MQTT',
      protocolVersion: options.version,
      clean: options.sessionSeconds === 0,
      ...(options.sessionSeconds === 0 || options.version === 4
        ? {}
        : { properties: { sessionExpiryInterval: options.sessionSeconds } }),
      // Where the broker allows it a topic is sent once for a connection, and a number for it afterwards.
      autoAssignTopicAlias: true,
      keepalive: options.keepaliveSeconds,
      // Bounded below together with what follows it.
      connectTimeout: 2 * options.connectTimeoutMs,
      reconnectPeriod: 0,
      resubscribe: false,
      ...(will === undefined
        ? {}
        : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false } }),
    })
    // The client has no time limit of its own for the answer to a subscription.
    this.#setUp = setTimeout(() => this.abort('the broker does not answer'), options.connectTimeoutMs)
    this.#client.on('error', (error) => this.#fail(error))
    this.#client.on('disconnect', () => this.#fail(new Error('the broker ended the connection')))
    this.#client.on('message', (topic, payload) => options.onMessage(topic, new Uint8Array(payload)))
    this.#client.on('packetreceive', (packet) => {
      this.#received++
      if (packet.cmd === 'suback' && packet.messageId === EARLY_ID) this.#answeredEarly(packet.granted)
    })
    this.#client.on('connect', ({ sessionPresent }) => this.#welcomed(sessionPresent))
    this.#client.on('close', () => this.#onClose())
    if (options.retained !== undefined) {
      this.#early = {}
      this.#askEarly(options.retained, this.#client.stream as Socket)
    }
  }

  get ready(): boolean {
    return this.#ready && !this.#closing && !this.#closed
  }

  /**
   * Resolves when the broker has acknowledged the message. Rejects with KeepsealError `collector.unreachable` after
   * `timeoutMs` or with the end of the connection, and with `collector.refused` when the broker says so (MQTT 5).
   */
  publish(topic: string, payload: Uint8Array, timeoutMs: number): Promise<void> {
    if (!this.ready) return Promise.reject(new KeepsealError('collector.unreachable', 'not connected to the broker'))
    return new Promise((resolve, reject) => {
      const settle = (error?: KeepsealError): void => {
        clearTimeout(timer)
        this.#pending.delete(settle)
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = setTimeout(() => {
        settle(new KeepsealError('collector.unreachable', `the broker has not answered for ${timeoutMs} ms`))
        this.#probeBroker(timeoutMs)
      }, timeoutMs)
      this.#pending.add(settle)
      this.#client.publish(topic, Buffer.from(payload), { qos: 1 }, (error) => {
        settle(error instanceof Error ? publishFailure(error) : undefined)
      })
    })
  }

  /** Takes leave of the broker, so that the last will is not published. Ends within `withinMs` whatever happens. */
  close(withinMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const force = setTimeout(() => this.abort('closed'), withinMs)
      this.#whenClosed = () => {
        clearTimeout(force)
        resolve()
      }
      if (this.#closing) return
      this.#closing = true
      this.#settleAll('closed')
      this.#failure ??= { text: 'closed', wrongVersion: false }
      if (!this.#client.connected) return this.abort('closed')
      // `end` waits for acknowledgements that may never come, and lets nobody hurry it.
      for (const id of Object.keys(this.#client.outgoing)) this.#client.removeOutgoingMessage(Number(id))
      this.#client.end(false)
      // At once, so that the end of the connection goes with the farewell.
      this.#client.stream.end()
    })
  }

  /** Ends the connection without a word. */
  abort(reason: string): void {
    this.#failure ??= { text: reason, wrongVersion: false }
    this.#client.stream.destroy()
    this.#onClose()
  }

  /** MQTT 3.1.1 and 5.0, section 3.1.4: a client need not wait for the answer to its greeting. */
  #askEarly(topic: string, stream: Socket): void {
    const subscriptions = [{ topic, qos: 0 as const }]
    writeToStream({ cmd: 'subscribe', messageId: EARLY_ID, subscriptions }, stream, {
      protocolVersion: this.#options.version,
    })
    process.nextTick(() => stream.uncork())
  }

  #welcomed(areKept: boolean): void {
    if (this.#early === undefined) return this.#subscribe()
    this.#early.areKept = areKept
    this.#subscribedEarly()
  }

  #answeredEarly(granted: unknown): void {
    if (this.#early === undefined || this.#early.isGranted !== undefined) return
    this.#early.isGranted = Array.isArray(granted) && !isRefusal(granted[0])
    this.#subscribedEarly()
  }

  /** Both answers are here: whichever the client tells first. */
  #subscribedEarly(): void {
    const { areKept, isGranted } = this.#early ?? {}
    if (areKept === undefined || isGranted === undefined || this.#closing || this.#closed) return
    if (areKept && isGranted) this.#onReady()
    else this.#subscribe()
  }

  #subscribe(): void {
    const { wishes, subscriptions } = this.#options
    const wanted = [...Object.entries(wishes), ...Object.entries(subscriptions)]
    this.#client.subscribe(Object.fromEntries(wanted), (error, _, answer) => {
      if (this.#closing || this.#closed) return
      const isRefused = wanted.some(([topic], index) => !(topic in wishes) && isRefusal(answer?.granted[index]))
      if (error instanceof Error && (isRefused || answer === undefined)) {
        return this.abort(`the broker refuses to be read: ${error.message}`)
      }
      this.#onReady()
    })
  }

  #onReady(): void {
    clearTimeout(this.#setUp)
    this.#ready = true
    const { stream } = this.#client
    this.#options.onReady(stream instanceof TLSSocket && stream.isSessionReused())
  }

  /** A broker may be slow to acknowledge; one that answers nothing at all is not there any more. */
  #probeBroker(withinMs: number): void {
    if (!this.ready || this.#probe !== undefined) return
    const before = this.#received
    this.#client.sendPing()
    this.#probe = setTimeout(() => {
      this.#probe = undefined
      if (this.#received === before) this.abort('the broker does not answer')
    }, withinMs)
  }

  #fail(error: Error): void {
    const code: unknown = 'code' in error ? error.code : undefined
    this.#failure ??= { text: error.message, wrongVersion: WRONG_VERSION.has(code) }
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#setUp)
    clearTimeout(this.#probe)
    this.#settleAll('the connection to the broker was lost')
    // Stops its timers where it did not end by itself.
    this.#client.end(true)
    this.#whenClosed()
    this.#options.onClosed(this.#failure ?? { text: 'the connection was closed', wrongVersion: false })
  }

  #settleAll(reason: string): void {
    for (const settle of this.#pending) settle(new KeepsealError('collector.unreachable', reason))
  }
}

/** MQTT 3.1.1, section 3.9.3; MQTT 5.0, section 3.9.3: what has this bit set is a failure. */
const isRefusal = (granted: unknown): boolean => typeof granted !== 'number' || (granted & 0x80) !== 0

function publishFailure(error: Error): KeepsealError {
  const refused = 'code' in error && typeof error.code === 'number' && error.code >= 128
  const code = refused ? 'collector.refused' : 'collector.unreachable'
  return new KeepsealError(code, `broker: ${error.message}`, { cause: error })
}
