import type { Command, InputType, InputValues, OutputType, OutputValues } from './esapi.ts'

/** How commands reach a TPM: through tpm2-tss, or written to its device file by this program itself. */
export type TpmTransport = 'tss2' | 'device'

/**
 * A TPM that was opened. Commands are queued, because it takes one at a time. After a lost connection, or a command
 * that did not return in time, it refuses everything with `tpm.unavailable`: close it and open another.
 */
export interface Tpm {
  readonly transport: TpmTransport

  /**
   * Runs one command of the ESAPI table, after those that were asked for before.
   * Throws TpmCommandError for what the TPM refuses, KeepsealError `tpm.unavailable` when it does not answer.
   */
  execute<I extends readonly InputType[], O extends readonly OutputType[]>(
    command: Command<I, O>,
    inputs: InputValues<I>,
  ): Promise<OutputValues<O>>

  /** Removes a key or session from the TPM. */
  flush(handle: number): Promise<void>

  /**
   * Waits for what was asked for, flushes what was left in the TPM (a resource manager would, a bare TPM keeps it
   * and runs full), and lets go of the connection. Never rejects; a second call does nothing more.
   */
  close(): Promise<void>
}
