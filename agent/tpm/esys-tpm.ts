import { KeepsealError } from '../../shared/errors.ts'
import { commandError } from './command-error.ts'
import type { InputType, OutputType } from './esapi.ts'
import type { NativeArgument, TssLibraries } from './library.ts'
import { Cell, marshal, unmarshal, type WireType } from './marshal.ts'
import { startCall, type NativeCall } from './native-call.ts'
import { QueuedTpm, type AnyCommand, type InputArgument, type OutputArgument } from './queued-tpm.ts'

/** One ESAPI context of tpm2-tss. */
export class EsysTpm extends QueuedTpm {
  readonly transport = 'tss2'
  readonly #libraries: TssLibraries
  readonly #context: Cell
  readonly #boundMs: number
  readonly #release: () => void
  #running: NativeCall | undefined

  constructor(libraries: TssLibraries, context: Cell, boundMs: number, release: () => void) {
    super()
    this.#libraries = libraries
    this.#context = context
    this.#boundMs = boundMs
    this.#release = release
  }

  protected release(): Promise<void> {
    return (this.#running?.finished ?? Promise.resolve()).then(this.#release)
  }

  protected async run(command: AnyCommand, inputs: readonly InputArgument[]): Promise<OutputArgument[]> {
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
      return outputs.map((output) => output.value())
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
      if (error instanceof KeepsealError && error.code === 'tpm.unavailable') throw error
      throw new KeepsealError('tpm.unavailable', name, { cause: error })
    }
    if (rc === 0) return
    const refusal = commandError(this.#libraries, name, rc)
    if (!refusal.connectionLost) throw refusal
    throw new KeepsealError('tpm.unavailable', refusal.answer, { cause: refusal })
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
