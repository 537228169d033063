import { toHex } from '../../shared/bytes/bytes.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { partsOf, signSectionPart } from '../../shared/evidence/section-part.ts'
import { upstreamTopic } from '../../shared/evidence/topics.ts'
import type { Log } from '../log.ts'
import type { ContentStore } from '../outbox/contents.ts'
import { NOTHING_SENT, nextDelivery, recordSent, type DeliveryRules, type SentReports } from '../outbox/delivery.ts'
import type { OutboxEntry } from '../outbox/entry.ts'
import type { Outbox } from '../outbox/outbox.ts'

/** The part of a connection that the courier needs. `publish` resolves when the broker has taken the message. */
export interface Publisher {
  publish(topic: string, bytes: Uint8Array): Promise<void>
}

export interface CourierOptions {
  readonly ueid: Ueid
  readonly signer: Signer
  readonly outbox: Outbox
  readonly contents: ContentStore
  readonly rules: DeliveryRules
  readonly log: Log
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number
  /** Contents that an entry of this run refers to and that the collector is not known to hold. */
  readonly contentsOf: (entry: OutboxEntry) => readonly Uint8Array[]
}

/** Pause after a report that the broker did not take. */
const RETRY_MS = 5_000

/** Carries reports from the outbox to the broker, as long as there is a connection. Removing them is the receipts' part. */
export class Courier {
  readonly #options: CourierOptions
  #publisher: Publisher | undefined
  #sent: SentReports = NOTHING_SENT
  #contentsSent = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #running = false
  #again = false

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** A new connection: what was sent on an earlier one may be lost, so everything is due again. */
  connected(publisher: Publisher): void {
    this.#publisher = publisher
    this.sendAgain()
  }

  /** Whatever was sent is as good as lost. */
  sendAgain(): void {
    this.#sent = NOTHING_SENT
    this.#contentsSent = new Set()
    this.wake()
  }

  disconnected(): void {
    this.#publisher = undefined
    clearTimeout(this.#timer)
  }

  /** There may be something to send. Never rejects, and never runs twice at a time. */
  wake(): void {
    this.#again = true
    if (this.#running) return
    this.#running = true
    void this.#deliver().finally(() => {
      this.#running = false
      if (this.#again) this.wake()
    })
  }

  async #deliver(): Promise<void> {
    const { outbox, rules, monotonic } = this.#options
    while (this.#publisher !== undefined) {
      this.#again = false
      clearTimeout(this.#timer)
      const publisher = this.#publisher
      const delivery = nextDelivery(outbox.entries, this.#sent, monotonic(), rules)
      if (delivery.kind === 'wait') {
        if (delivery.until !== null) {
          this.#wakeIn(Math.max(10, delivery.until - monotonic()))
        }
        return
      }
      const delivered = await this.#send(publisher, delivery.entry)
      if (publisher !== this.#publisher) continue
      this.#sent = recordSent(this.#sent, delivery, monotonic(), outbox.entries)
      if (delivered) continue
      // The connection is in trouble and mostly ends. Where it does not, the others must not wait for the next report.
      this.#wakeIn(RETRY_MS)
      return
    }
    this.#again = false
  }

  #wakeIn(ms: number): void {
    this.#timer = setTimeout(() => this.wake(), ms)
    this.#timer.unref()
  }

  async #send(publisher: Publisher, entry: OutboxEntry): Promise<boolean> {
    const { ueid, outbox, contentsOf, log } = this.#options
    try {
      // Contents first: what arrives then can be concluded from at once.
      for (const digest of contentsOf(entry)) await this.sendContent(publisher, digest)
      const bytes = await outbox.read(entry)
      if (bytes !== undefined) await publisher.publish(upstreamTopic(ueid, 'evidence'), bytes)
      return true
    } catch (error) {
      log.warn(`a report was not taken by the broker: ${error instanceof Error ? error.message : String(error)}`)
      return false
    }
  }

  /** Sends a content once a connection, or again with `force` when the collector asks for it. */
  async sendContent(publisher: Publisher, digest: Uint8Array, force = false): Promise<void> {
    const { ueid, signer, contents, log } = this.#options
    const name = toHex(digest)
    if (this.#contentsSent.has(name) && !force) return
    const content = await contents.get(digest)
    if (content === undefined) {
      log.info(`content ${name.slice(0, 16)} is not kept any more and cannot be sent`)
      return
    }
    for (const part of partsOf(content, content.encoding, content.encoded)) {
      await publisher.publish(upstreamTopic(ueid, 'section'), await signSectionPart(ueid, part, signer))
    }
    this.#contentsSent.add(name)
  }

  /** Answers a request of the collector. Never rejects. */
  async answer(digests: readonly Uint8Array[]): Promise<void> {
    const publisher = this.#publisher
    if (publisher === undefined) return
    try {
      for (const digest of digests) await this.sendContent(publisher, digest, true)
    } catch (error) {
      this.#options.log.warn(`content was not sent: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
