import type { UpstreamMessage } from '../../deploy/simulator/gateway.ts'

type Publications = readonly UpstreamMessage[]

interface Waiting {
  readonly message: UpstreamMessage
  readonly resolve: (publications: Publications) => void
  readonly reject: (error: unknown) => void
}

const LARGEST = 200

/** What is handed in at one time is taken in one batch, as a collector does; one batch after the other. */
export class MessageBatches {
  readonly #ingest: (messages: readonly UpstreamMessage[]) => Promise<Publications>
  #waiting: Waiting[] = []
  #isRunning = false

  constructor(ingest: (messages: readonly UpstreamMessage[]) => Promise<Publications>) {
    this.#ingest = ingest
  }

  /** What is to be published in answer to a batch comes with its first message. */
  take(message: UpstreamMessage): Promise<Publications> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) {
      // Whoever is about to hand in something does so first.
      await new Promise(setImmediate)
      const batch = this.#waiting.splice(0, LARGEST)
      try {
        const publications = await this.#ingest(batch.map(({ message }) => message))
        for (const [place, { resolve }] of batch.entries()) resolve(place === 0 ? publications : [])
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#isRunning = false
  }
}
