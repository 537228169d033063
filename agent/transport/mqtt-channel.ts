import { utf8 } from '../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import {
  allDevicesFilter,
  downTopic,
  epochTopic,
  restorePointTopic,
  successionTopic,
  upstreamTopic,
} from '../../shared/evidence/topics.ts'
import type { TlsIdentity } from '../state/identity.ts'
import { backoffDelay, DEFAULT_BACKOFF, type BackoffRules } from './backoff.ts'
import { brokerAddress, openBrokerStream, TlsResumption } from './broker-stream.ts'
import { MqttConnection, type ClosedReason, type MqttVersion } from './connection.ts'
import { Ways, type Way } from './ways.ts'

/** What comes from the broker. Nothing of it is authenticated: the broker is trusted with delivery alone. */
export interface ChannelEvents {
  /** On each connection, after which everything unreceipted is due again. `isInForce`: by the way that is to be used. */
  readonly onConnected: (connection: {
    readonly version: '3.1.1' | '5'
    readonly resumed: boolean
    readonly isInForce: boolean
  }) => void
  /** A retained one comes with each connection. */
  readonly onEpoch: (bytes: Uint8Array) => void
  /** Retained as well, where the collector was ever restored. */
  readonly onRestorePoint: (bytes: Uint8Array) => void
  /** Retained, where the collector has ever changed its keys or addresses. */
  readonly onSuccession?: (bytes: Uint8Array) => void
  /** Receipts and requests. The same may come twice. */
  readonly onDown: (bytes: Uint8Array) => void
  /** Also for an attempt that failed. `retryMs`: time to the next one; `failures`: one after the other. */
  readonly onDisconnected: (reason: string, retryMs: number, failures: number) => void
}

export interface ChannelOptions {
  readonly url: string
  readonly ueid: Ueid
  readonly tls: TlsIdentity
  /** The way before, while it may be used: none where it is absent. */
  readonly former?: () => Way | null
  /** auto: MQTT 5, and 3.1.1 from the first refusal on. */
  readonly protocol: 'auto' | '5' | '3.1.1'
  /** Milliseconds since 1970 that it is at least, whatever the clock says. */
  readonly timeFloor?: () => number
  readonly events: ChannelEvents
  /** From 0 to below 1. */
  readonly random: () => number
  readonly backoff?: BackoffRules
  /**
   * The channel rests between reports, for so long at most: the broker keeps its subscriptions, and TLS sessions are
   * resumed. Absent where the connection is kept.
   */
  readonly restsForSeconds?: number | undefined
  readonly keepaliveSeconds?: number
  readonly connectTimeoutMs?: number
  readonly publishTimeoutMs?: number
}

/** A connection that held this long was a good one: the next failure begins a new series. */
const STABLE_MS = 30_000
const CLOSE_MS = 1_500
const MAX_MESSAGE_BYTES = 128 * 1024
const WILL = utf8('gone')

/** The device's place at the broker, connected again and again until it is closed. */
export class MqttChannel {
  readonly #options: ChannelOptions
  #version: MqttVersion
  #connection: MqttConnection | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  #closed = false
  #resting = false
  readonly #resumption: TlsResumption | undefined
  readonly #ways: Ways
  #moving = false
  #hasVisited = false

  /** Throws `config.invalid-value` for a URL that is no broker's. */
  constructor(options: ChannelOptions) {
    brokerAddress(options.url)
    this.#options = options
    this.#resumption = options.restsForSeconds === undefined ? undefined : new TlsResumption()
    this.#ways = new Ways({ url: options.url, tls: options.tls }, options.former)
    this.#version = options.protocol === '3.1.1' ? 4 : 5
  }

  get connected(): boolean {
    return this.#connection?.ready === true
  }

  /** From the next connection on. The one that there is stays: the broker has looked at its certificate. */
  use(tls: TlsIdentity, url: string): void {
    brokerAddress(url)
    this.#ways.use({ tls, url })
    // A session tells who this is by the certificate of before.
    this.#resumption?.forget()
  }

  /** Connects anew, in the way that is in force. */
  reconnect(): void {
    if (this.#connection === undefined || this.#moving || this.#resting) return
    this.#moving = true
    void this.#connection.close(CLOSE_MS)
  }

  /** Begins to connect. Returns at once: the events tell what becomes of it. */
  start(): void {
    this.#resting = false
    if (this.#connection === undefined) this.#moving = false
    if (this.#connection === undefined && this.#retry === undefined && !this.#closed) this.#connect()
  }

  /**
   * Resolves when the broker has acknowledged the message: not yet a promise of the collector. One at a time is
   * asked of the caller, so that no broker's limit of messages in flight is met.
   * Rejects with KeepsealError `collector.unreachable` or `collector.refused`, in any case within the time limit.
   */
  publish(topic: string, bytes: Uint8Array): Promise<void> {
    const { publishTimeoutMs = 30_000 } = this.#options
    if (this.#connection === undefined) {
      return Promise.reject(new KeepsealError('collector.unreachable', 'not connected to the broker'))
    }
    return this.#connection.publish(topic, bytes, publishTimeoutMs)
  }

  /** Takes leave of the broker until `start` is called again. No event comes of it. */
  async rest(): Promise<void> {
    this.#resting = true
    clearTimeout(this.#retry)
    this.#retry = undefined
    // A visit that was one has no failure, however short it was.
    if (this.connected) this.#failures = 0
    await this.#connection?.close(CLOSE_MS)
  }

  /** Ends within two seconds. What is being published is rejected; no event comes any more. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#connection?.close(CLOSE_MS)
  }

  #connect(): void {
    this.#retry = undefined
    const way = this.#ways.next()
    try {
      this.#connection = this.#dial(way)
    } catch (cause) {
      // A certificate that OpenSSL does not take, for one. It must not end the agent, whose outbox goes on filling.
      this.#failures++
      this.#ways.failed(way.isFormer)
      this.#reconnect({ text: cause instanceof Error ? cause.message : String(cause), wrongVersion: false })
    }
  }

  #dial({ url, tls, isFormer }: Way & { readonly isFormer: boolean }): MqttConnection {
    const { ueid, events, timeFloor, restsForSeconds, keepaliveSeconds = 60 } = this.#options
    const { connectTimeoutMs = 30_000 } = this.#options
    const resumption = isFormer ? undefined : this.#resumption
    let readyAt: number | undefined
    return new MqttConnection({
      version: this.#version,
      clientId: ueid,
      will: restsForSeconds === undefined ? { topic: upstreamTopic(ueid, 'presence'), payload: WILL } : undefined,
      // Another broker, or one whose access list is of before, may not know it: that is no reason to stay silent.
      wishes: { [successionTopic]: { qos: 0 } },
      // QoS 0 throughout: what is lost with the connection comes again with the next report, or its receipt does.
      subscriptions: { [restorePointTopic]: { qos: 0 }, [epochTopic]: { qos: 0 }, [downTopic(ueid)]: { qos: 0 } },
      retained: restsForSeconds !== undefined && this.#hasVisited ? allDevicesFilter : undefined,
      sessionSeconds: restsForSeconds ?? 0,
      openStream: () => openBrokerStream(brokerAddress(url), tls, { floorMs: timeFloor?.() ?? 0, resumption }),
      keepaliveSeconds,
      connectTimeoutMs,
      onReady: (resumed) => {
        readyAt = performance.now()
        this.#ways.succeeded()
        this.#hasVisited = true
        const isInForce = this.#ways.isInForce({ url, tls })
        events.onConnected({ version: this.#version === 5 ? '5' : '3.1.1', resumed, isInForce })
      },
      onMessage: (topic, payload) => this.#dispatch(topic, payload),
      onClosed: (reason) => {
        this.#connection = undefined
        if (this.#closed || this.#resting) return
        if (readyAt === undefined && !reason.wrongVersion) this.#ways.failed(isFormer)
        const stable = readyAt !== undefined && performance.now() - readyAt >= STABLE_MS
        this.#failures = stable ? 1 : this.#failures + 1
        this.#reconnect(reason)
      },
    })
  }

  #dispatch(topic: string, payload: Uint8Array): void {
    if (this.#closed || payload.length === 0 || payload.length > MAX_MESSAGE_BYTES) return
    if (topic === epochTopic) this.#options.events.onEpoch(payload)
    else if (topic === restorePointTopic) this.#options.events.onRestorePoint(payload)
    else if (topic === successionTopic) this.#options.events.onSuccession?.(payload)
    else if (topic === downTopic(this.#options.ueid)) this.#options.events.onDown(payload)
  }

  #reconnect({ text, wrongVersion }: ClosedReason): void {
    const { protocol, events, random, backoff = DEFAULT_BACKOFF } = this.#options
    const fallBack = wrongVersion && protocol === 'auto' && this.#version === 5
    if (fallBack) {
      this.#version = 4
      this.#failures = 0
    }
    const atOnce = fallBack || this.#moving
    const why = this.#moving ? 'connecting anew' : text
    this.#moving = false
    const retryMs = atOnce ? 0 : backoffDelay(this.#failures, random(), backoff)
    this.#retry = setTimeout(() => this.#connect(), retryMs)
    if (!fallBack) events.onDisconnected(why, retryMs, this.#failures)
  }
}
