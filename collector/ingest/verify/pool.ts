import { Worker } from 'node:worker_threads'
import { packed, type KeyedMessage } from './batch.ts'
import { PROOF_BYTES, type Proofs } from './proof.ts'

export interface VerificationPoolOptions {
  readonly workers: number
  /** The program of a worker; the built one, if absent. */
  readonly file?: URL
  /** Of how many devices each worker keeps the imported keys. */
  readonly keys?: number
  /** A worker that takes longer for its part of a batch is taken for hanging. */
  readonly timeoutMs?: number
  /** Told of a worker that ended or hung: a fault of ours. */
  readonly onFailure?: (error: unknown) => void
}

const TIMEOUT_MS = 10_000
const KEYS = 20_000
/** Fewer messages are not worth being divided. */
const LEAST_SHARE = 8

/**
 * Threads that check signatures ahead of the appraisal. What they find valid spares it the check; what they do not, or
 * cannot since one of them died, it checks itself. So none of them can bring about a verdict.
 */
export class VerificationPool {
  readonly #options: VerificationPoolOptions
  readonly #workers: (Worker | undefined)[]
  #stopped = false

  constructor(options: VerificationPoolOptions) {
    this.#options = options
    this.#workers = Array.from({ length: options.workers }, () => undefined)
  }

  /** One for each message, in their order; undefined where nothing was found out. Never rejects. One batch at a time. */
  async verify(messages: readonly KeyedMessage[]): Promise<readonly (Proofs | undefined)[]> {
    const share = Math.max(LEAST_SHARE, Math.ceil(messages.length / this.#workers.length))
    const shares = this.#workers.map((_, index) => messages.slice(index * share, (index + 1) * share))
    const proofs = await Promise.all(shares.map((part, index) => this.#checked(index, part)))
    return proofs.flat()
  }

  async #checked(index: number, part: readonly KeyedMessage[]): Promise<readonly (Proofs | undefined)[]> {
    if (part.length === 0) return []
    try {
      const proofs = new Uint8Array(await this.#ask(index, packed(part)))
      return part.map((_, place) => proofsAt(proofs, 2 * place * PROOF_BYTES))
    } catch (error) {
      this.#options.onFailure?.(error)
      const failed = this.#workers[index]
      this.#workers[index] = undefined
      void failed?.terminate()
      return part.map(() => undefined)
    }
  }

  #ask(index: number, batch: ArrayBuffer): Promise<ArrayBuffer> {
    if (this.#stopped) return Promise.reject(new Error('the workers have ended'))
    const worker = (this.#workers[index] ??= this.#started())
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer)
        worker.off('message', onMessage)
        worker.off('error', onError)
        worker.off('exit', onExit)
        settle()
      }
      const onMessage = (proofs: ArrayBuffer): void => finish(() => resolve(proofs))
      const onError = (error: unknown): void =>
        finish(() => reject(error instanceof Error ? error : new Error('worker')))
      const onExit = (): void => finish(() => reject(new Error('a worker has ended')))
      const hangs = (): void => finish(() => reject(new Error('a worker does not answer')))
      const timer = setTimeout(hangs, this.#options.timeoutMs ?? TIMEOUT_MS)
      worker.on('message', onMessage)
      worker.on('error', onError)
      worker.on('exit', onExit)
      worker.postMessage(batch, [batch])
    })
  }

  #started(): Worker {
    const worker = new Worker(this.#options.file ?? new URL('./worker.js', import.meta.url), {
      workerData: { keys: this.#options.keys ?? KEYS },
    })
    // One that dies while it has nothing to do is found out with its next batch.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      const index = this.#workers.indexOf(worker)
      if (index >= 0) this.#workers[index] = undefined
    })
    worker.unref()
    return worker
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#workers.splice(0).map((worker) => worker?.terminate()))
  }
}

function proofsAt(proofs: Uint8Array, offset: number): Proofs | undefined {
  const device = proofs.subarray(offset, offset + PROOF_BYTES)
  const quote = proofs.subarray(offset + PROOF_BYTES, offset + 2 * PROOF_BYTES)
  return device.some((byte) => byte !== 0) ? { device, quote } : undefined
}
