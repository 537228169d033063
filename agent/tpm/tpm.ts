import { KeepsealError } from '../../shared/errors.ts'
import { commandError } from './command-error.ts'
import { ESAPI, type Command, type InputType, type InputValues, type OutputType, type OutputValues } from './esapi.ts'
import type { NativeArgument, TssLibraries } from './library.ts'
import { Cell, marshal, unmarshal, type WireType } from './marshal.ts'
import { startCall, type NativeCall } from './native-call.ts'

/**
 * One ESAPI context. Commands are queued, because a context takes one at a time. After a lost connection, or a
 * command that did not return in time, it refuses everything with `tpm.unavailable`: close it and open another.
 */
export class Tpm {
  readonly #libraries: TssLibraries
  readonly #context: Cell
  readonly #boundMs: number
  readonly #release: () => void
  /** Sessions and transient objects that occupy the TPM. */
  readonly #objects = new Set<number>()
  #queue: Promise<unknown> = Promise.resolve()
  #running: NativeCall | undefined
  #broken: KeepsealError | undefined
  #closed: Promise<void> | undefined

  constructor(libraries: TssLibraries, context: Cell, boundMs: number, release: () => void) {
    this.#libraries = libraries
    this.#context = context
    this.#boundMs = boundMs
    this.#release = release
  }

  /**
   * Runs one command of the ESAPI table, after those that were asked for before.
   * Throws TpmCommandError for what the TPM refuses, KeepsealError `tpm.unavailable` when it does not answer.
   */
  execute<I extends readonly InputType[], O extends readonly OutputType[]>(
    command: Command<I, O>,
    inputs: InputValues<I>,
  ): Promise<OutputValues<O>> {
    if (this.#closed !== undefined) return Promise.reject(new KeepsealError('internal.failure', 'the TPM is closed'))
    return this.#enqueue(() => this.#perform(command, inputs))
  }

  /** Removes a key or session from the TPM. */
  async flush(handle: number): Promise<void> {
    await this.execute(ESAPI.flushContext, [handle])
    this.#objects.delete(handle)
  }

  /**
   * Waits for what was asked for, flushes what was left in the TPM (a resource manager would, a bare TPM keeps it
   * and runs full), and lets go of the connection. Never rejects; a second call does nothing more.
   */
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
    // A command that hangs still works on the context: it is released when that returns, if ever.
    const finished = (this.#running?.finished ?? Promise.resolve()).then(this.#release)
    if (this.#broken === undefined) await finished
  }

  async #perform<I extends readonly InputType[], O extends readonly OutputType[]>(
    command: Command<I, O>,
    inputs: InputValues<I>,
  ): Promise<OutputValues<O>> {
    if (this.#broken !== undefined) throw this.#broken
    const name = `Esys_${command.name}`
    const outputs = command.outputs.map((type) => new Output(this.#libraries, type))
    const parameters = command.inputs.map((type, i) => nativeInput(this.#libraries, type, inputs[i] ?? null))
    const types = [...command.inputs.map(nativeType), ...outputs.map(() => 'void *')]
    const run = this.#libraries.find('esys', name, 'uint32_t', ['void *', ...types])
    try {
      await this.#call(name, () =>
        startCall(
          name,
          run,
          [this.#context.value, ...parameters, ...outputs.map((output) => output.cell.memory)],
          Math.min(this.#boundMs, command.boundMs),
        ),
      )
      const values = outputs.map((output) => output.value())
      for (const [i, type] of command.outputs.entries()) if (type === 'object') this.#objects.add(Number(values[i]))
      return values as OutputValues<O>
    } finally {
      for (const output of outputs) output.free()
    }
  }

  async #call(name: string, start: () => NativeCall): Promise<void> {
    this.#running = start()
    let rc: number
    try {
      rc = await this.#running.rc
    } catch (error) {
      this.#broken =
        error instanceof KeepsealError ? error : new KeepsealError('tpm.unavailable', name, { cause: error })
      throw this.#broken
    }
    if (rc === 0) return
    const refusal = commandError(this.#libraries, name, rc)
    if (!refusal.connectionLost) throw refusal
    this.#broken = new KeepsealError('tpm.unavailable', refusal.answer, { cause: refusal })
    throw this.#broken
  }
}

const nativeType = (type: InputType): string => (isNumber(type) ? `${type}_t` : 'void *')

function nativeInput(libraries: TssLibraries, type: InputType, value: number | Uint8Array | null): NativeArgument {
  if (isNumber(type) || !(value instanceof Uint8Array)) return value
  return unmarshal(libraries, type, value)
}

const NUMBERS: ReadonlySet<string> = new Set(['uint8', 'uint16', 'uint32', 'int32'])
const isNumber = (type: InputType): type is Exclude<InputType, WireType> => NUMBERS.has(type)

/** The memory that one output parameter is written to. */
class Output {
  readonly cell: Cell
  readonly #libraries: TssLibraries
  readonly #type: OutputType

  constructor(libraries: TssLibraries, type: OutputType) {
    this.#libraries = libraries
    this.#type = type
    this.cell = new Cell(libraries)
  }

  /** Valid after a successful command, and once. */
  value(): number | Uint8Array | undefined {
    if (this.#type === 'uint8') return this.cell.memory.readUInt8()
    if (this.#type === 'uint32' || this.#type === 'object') return this.cell.memory.readUInt32LE()
    return this.#type === 'discarded' ? undefined : marshal(this.#libraries, this.#type, this.cell.value)
  }

  free(): void {
    if (this.#type === 'uint8' || this.#type === 'uint32' || this.#type === 'object') return
    if (this.cell.value !== 0n) this.#libraries.find('esys', 'Esys_Free', 'void', ['void *'])(this.cell.value)
    this.cell.value = 0n
  }
}
