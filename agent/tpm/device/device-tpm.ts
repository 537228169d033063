import { setTimeout as sleep } from 'node:timers/promises'
import { ByteReader } from '../../../shared/bytes/reader.ts'
import { random } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { withBound } from '../bound.ts'
import { ESAPI } from '../esapi.ts'
import { QueuedTpm, type AnyCommand, type InputArgument, type OutputArgument } from '../queued-tpm.ts'
import { WIRE_COMMANDS } from './commands.ts'
import { decodeAnswer, decodeHeader, refusal } from './decode.ts'
import { encodeCommand } from './encode.ts'
import { asksToRetry } from './response-codes.ts'

/** Where commands go, and answers come from. */
export interface CommandChannel {
  /** One command, and the answer to it. Rejects with `tpm.unavailable` when that failed. */
  send(command: Uint8Array): Promise<Uint8Array>
  close(): Promise<void>
}

export interface DeviceTpmOptions {
  /** Upper bound of every command, in milliseconds. */
  readonly boundMs?: number
  /** Before the second submission; it doubles for each one after that. */
  readonly retryMs?: number
}

/** As often as tpm2-tss submits a command. */
const SUBMISSIONS = 5

/** A TPM whose commands are made here: nothing but a channel to it is needed, and no library. */
export class DeviceTpm extends QueuedTpm {
  readonly transport = 'device'
  readonly #channel: CommandChannel
  readonly #boundMs: number
  readonly #retryMs: number
  readonly #passwords = new Map<number, Uint8Array>()
  #running: Promise<unknown> = Promise.resolve()

  constructor(channel: CommandChannel, { boundMs = Number.POSITIVE_INFINITY, retryMs = 50 }: DeviceTpmOptions = {}) {
    super()
    this.#channel = channel
    this.#boundMs = boundMs
    this.#retryMs = retryMs
  }

  protected release(): Promise<void> {
    const close = (): Promise<void> => this.#channel.close().catch(() => undefined)
    return this.#running.then(close, close)
  }

  protected async run(command: AnyCommand, inputs: readonly InputArgument[]): Promise<readonly OutputArgument[]> {
    const [first, second] = inputs
    // ESAPI keeps passwords to itself, and has numbers of its own for what is in the TPM; here those are the TPM's.
    if (command.name === ESAPI.setAuthorization.name) {
      if (second instanceof Uint8Array) this.#passwords.set(Number(first), new ByteReader(second).sized16())
      return []
    }
    if (command.name === ESAPI.handleOf.name) return [Number(first)]
    const wire = WIRE_COMMANDS[command.name]
    if (wire === undefined) throw new KeepsealError('internal.failure', `no wire format of ${command.name}`)
    const name = `TPM2_${command.name}`
    const { bytes, authorizations } = encodeCommand(command, wire, inputs, {
      passwordOf: (handle) => this.#passwords.get(handle),
      random,
    })
    const bound = Math.min(this.#boundMs, command.boundMs)
    const answer = await this.#submit(name, bytes, bound)
    if (answer.rc !== 0) throw refusal(name, answer.rc)
    return decodeAnswer(name, command, wire, answer, authorizations)
  }

  async #submit(name: string, command: Uint8Array, boundMs: number): Promise<ReturnType<typeof decodeHeader>> {
    for (let submission = 1, waitMs = this.#retryMs; ; submission++, waitMs *= 2) {
      const sent = this.#channel.send(command)
      this.#running = sent
      const answer = decodeHeader(name, await withBound(name, sent, boundMs))
      if (!asksToRetry(answer.rc) || submission === SUBMISSIONS) return answer
      await sleep(waitMs)
    }
  }
}
