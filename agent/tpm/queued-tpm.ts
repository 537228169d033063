import { KeepsealError } from '../../shared/errors.ts'
import { ESAPI, type Command, type InputType, type InputValues, type OutputType, type OutputValues } from './esapi.ts'
import type { Tpm, TpmTransport } from './tpm.ts'

/** A command of the table whose types do not matter. */
export type AnyCommand = Command<readonly InputType[], readonly OutputType[]>
export type InputArgument = number | Uint8Array | null
export type OutputArgument = number | Uint8Array | undefined

/** What both ways to a TPM have in common: the queue, what occupies the TPM, and being broken for good. */
export abstract class QueuedTpm implements Tpm {
  abstract readonly transport: TpmTransport
  /** Sessions and transient objects that occupy the TPM. */
  readonly #objects = new Set<number>()
  #queue: Promise<unknown> = Promise.resolve()
  #broken: KeepsealError | undefined
  #closed: Promise<void> | undefined

  /** Runs one command, with nothing else running. `tpm.unavailable` is the last that it is asked for. */
  protected abstract run(command: AnyCommand, inputs: readonly InputArgument[]): Promise<readonly OutputArgument[]>

  /** Lets go of the connection as soon as nothing works on it any more. Never rejects. */
  protected abstract release(): Promise<void>

  execute<I extends readonly InputType[], O extends readonly OutputType[]>(
    command: Command<I, O>,
    inputs: InputValues<I>,
  ): Promise<OutputValues<O>> {
    if (this.#closed !== undefined) return Promise.reject(new KeepsealError('internal.failure', 'the TPM is closed'))
    return this.#enqueue(() => this.#perform(command, inputs))
  }

  async flush(handle: number): Promise<void> {
    await this.execute(ESAPI.flushContext, [handle])
    this.#objects.delete(handle)
  }

  close(): Promise<void> {
    this.#closed ??= this.#enqueue(() => this.#shutDown())
    return this.#closed
  }

  #enqueue<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run)
    this.#queue = result.catch(() => undefined)
    return result
  }

  async #shutDown(): Promise<void> {
    for (const handle of this.#objects) {
      if (this.#broken !== undefined) break
      await this.#perform(ESAPI.flushContext, [handle]).catch(() => undefined)
    }
    // A command that hangs still works on the connection: it is released when that returns, if ever.
    const released = this.release()
    if (this.#broken === undefined) await released
  }

  async #perform<I extends readonly InputType[], O extends readonly OutputType[]>(
    command: Command<I, O>,
    inputs: InputValues<I>,
  ): Promise<OutputValues<O>> {
    if (this.#broken !== undefined) throw this.#broken
    try {
      const values = await this.run(command, inputs as readonly InputArgument[])
      for (const [i, type] of command.outputs.entries()) if (type === 'object') this.#objects.add(Number(values[i]))
      return values as OutputValues<O>
    } catch (error) {
      if (error instanceof KeepsealError && error.code === 'tpm.unavailable') this.#broken = error
      throw error
    }
  }
}
