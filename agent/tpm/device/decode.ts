import { ByteReader } from '../../../shared/bytes/reader.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { malformed, readWhole } from '../../../shared/tpm/structure.ts'
import { TpmCommandError } from '../command-error.ts'
import type { AnyCommand, OutputArgument } from '../queued-tpm.ts'
import type { WireCommand } from './commands.ts'
import { HEADER_BYTES, MAX_MESSAGE_BYTES, TPM_ST } from './encode.ts'
import { explain } from './response-codes.ts'
import { takeStructure } from './structures.ts'

/** An answer whose header holds. */
interface Answer {
  readonly tag: number
  readonly rc: number
  /** Behind the header. */
  readonly body: Uint8Array
}

/**
 * The header of an answer, Part 1 "Response Header". One that does not hold is no answer of this TPM to this command:
 * whatever comes after it cannot be relied on either, so it is `tpm.unavailable`.
 */
export function decodeHeader(name: string, bytes: Uint8Array): Answer {
  const broken = (detail: string): KeepsealError => new KeepsealError('tpm.unavailable', `${name}: ${detail}`)
  if (bytes.length < HEADER_BYTES) throw broken(`an answer of ${bytes.length} bytes`)
  if (bytes.length > MAX_MESSAGE_BYTES) throw broken(`an answer of ${bytes.length} bytes`)
  const reader = new ByteReader(bytes)
  const [tag, size, rc] = [reader.u16(), reader.u32(), reader.u32()]
  if (tag !== TPM_ST.noSessions && tag !== TPM_ST.sessions) throw broken(`an answer with the tag 0x${tag.toString(16)}`)
  if (size !== bytes.length) throw broken(`an answer of ${bytes.length} bytes that says ${size}`)
  // A refusal is nothing but a header (Part 1, "Response Header").
  if (rc !== 0 && (tag !== TPM_ST.noSessions || size !== HEADER_BYTES)) throw broken('a refusal that goes on')
  return { tag, rc, body: bytes.subarray(HEADER_BYTES) }
}

export function refusal(name: string, rc: number): TpmCommandError {
  return new TpmCommandError(name, rc, explain(rc))
}

/**
 * What the ESAPI function would give, out of the answer to a command with so many authorizations. Throws
 * `tpm.command-failed` for one that cannot be read.
 */
export function decodeAnswer(
  name: string,
  command: AnyCommand,
  wire: WireCommand,
  answer: Answer,
  authorizations: number,
): OutputArgument[] {
  try {
    return readWhole(answer.body, (reader) => {
      const withSessions = authorizations > 0
      if (withSessions !== (answer.tag === TPM_ST.sessions)) throw malformed('an answer with the tag of another')
      const handle = wire.answersHandle ? reader.u32() : undefined
      const parametersEnd = withSessions ? reader.u32() + reader.offset : undefined
      const parameters = wire.answer.map((structure) => takeStructure(reader, answer.body, structure))
      if (parametersEnd !== undefined && parametersEnd !== reader.offset) throw malformed('parameters of another size')
      for (let i = 0; i < authorizations; i++) skipAuthorization(reader)
      return outputsOf(command, handle, parameters)
    })
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    throw new KeepsealError('tpm.command-failed', `${name}: the answer cannot be read: ${error.message}`)
  }
}

/** TPMS_AUTH_RESPONSE, Part 2 section 10.13.3. Without a key there is no HMAC to check. */
function skipAuthorization(reader: ByteReader): void {
  reader.sized16()
  reader.u8()
  reader.sized16()
}

function outputsOf(
  command: AnyCommand,
  handle: number | undefined,
  parameters: readonly Uint8Array[],
): OutputArgument[] {
  const left = [...parameters]
  return command.outputs.map((type) => {
    if (type === 'object') return handle
    const bytes = left.shift()
    if (bytes === undefined || type === 'discarded') return undefined
    const reader = new ByteReader(bytes)
    if (type === 'uint8') return reader.u8()
    return type === 'uint32' ? reader.u32() : Uint8Array.from(bytes)
  })
}
