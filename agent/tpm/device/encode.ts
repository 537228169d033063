import { concat } from '../../../shared/bytes/bytes.ts'
import { ByteWriter } from '../../../shared/bytes/writer.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { readWhole } from '../../../shared/tpm/structure.ts'
import { ESYS_TR, type InputType, type NumberType } from '../esapi.ts'
import type { AnyCommand, InputArgument } from '../queued-tpm.ts'
import { NONCE_BYTES, type WireCommand } from './commands.ts'
import { tpmHandleOf } from './handles.ts'
import { takeStructure } from './structures.ts'

/** TPM_ST, Part 2 section 6.9. */
export const TPM_ST = { noSessions: 0x8001, sessions: 0x8002 } as const
/** Tag, size and code begin every command and every answer (Part 1, "Command Header Structure"). */
export const HEADER_BYTES = 10
/** What the kernel takes and gives at most: TPM_BUFSIZE. */
export const MAX_MESSAGE_BYTES = 4096

/** TPMA_SESSION.continueSession, Part 2 section 8.4: the session stays until it is flushed. */
const CONTINUE_SESSION = 1

export interface EncodedCommand {
  readonly bytes: Uint8Array
  /** Authorizations in it: as many come back. */
  readonly authorizations: number
}

export interface EncodingContext {
  /** The password of an object, by the handle that ESAPI has for it; undefined where it is empty. */
  passwordOf(handle: number): Uint8Array | undefined
  random(length: number): Uint8Array
}

/** Throws `tpm.command-failed` for an argument that is not what the command takes. */
export function encodeCommand(
  command: AnyCommand,
  wire: WireCommand,
  inputs: readonly InputArgument[],
  context: EncodingContext,
): EncodedCommand {
  const handles = inputs.slice(0, wire.handles).map(Number)
  const first = wire.handles + (wire.sessions ? 3 : 0)
  const sessions = wire.sessions
    ? inputs
        .slice(wire.handles, first)
        .map(Number)
        .filter((session) => session !== ESYS_TR.none)
    : []
  const given = command.inputs.slice(first).map((type, i) => encodeInput(command, type, inputs[first + i] ?? null))
  const parameters = wire.complete?.(given, (length) => context.random(length)) ?? given
  const area = concat(
    ...sessions.map((session, i) => authorization(session, context, context.passwordOf(handles[i] ?? ESYS_TR.none))),
  )
  const body = new ByteWriter()
  for (const handle of handles) body.u32(tpmHandleOf(handle))
  if (sessions.length > 0) body.u32(area.length).bytes(area)
  for (const parameter of parameters) body.bytes(parameter)
  const content = body.finish()
  const size = HEADER_BYTES + content.length
  if (size > MAX_MESSAGE_BYTES) throw refused(command, `${size} bytes are more than a TPM takes`)
  const tag = sessions.length > 0 ? TPM_ST.sessions : TPM_ST.noSessions
  const bytes = new ByteWriter().u16(tag).u32(size).u32(wire.code).bytes(content).finish()
  return { bytes, authorizations: sessions.length }
}

/**
 * TPMS_AUTH_COMMAND, Part 2 section 10.13.2. A password goes as it is; a policy session that is neither bound nor
 * salted has no key, and so no HMAC (Part 1, "Authorization Session").
 */
function authorization(session: number, { random }: EncodingContext, given?: Uint8Array): Uint8Array {
  const nothing = new Uint8Array(0)
  const [nonce, hmac] = session === ESYS_TR.password ? [nothing, given ?? nothing] : [random(NONCE_BYTES), nothing]
  return new ByteWriter().u32(tpmHandleOf(session)).sized16(nonce).u8(CONTINUE_SESSION).sized16(hmac).finish()
}

const NUMBER_BYTES: Readonly<Record<NumberType, 1 | 2 | 4>> = { uint8: 1, uint16: 2, uint32: 4, int32: 4 }

function encodeInput(command: AnyCommand, type: InputType, value: InputArgument): Uint8Array {
  if (isNumber(type)) {
    const writer = new ByteWriter()
    const number = type === 'int32' ? Number(value) >>> 0 : Number(value)
    const bytes = NUMBER_BYTES[type]
    return (bytes === 1 ? writer.u8(number) : bytes === 2 ? writer.u16(number) : writer.u32(number)).finish()
  }
  // NULL stands for an empty structure, and only a TPM2B can be empty.
  const bytes = value instanceof Uint8Array ? value : new Uint8Array(2)
  try {
    readWhole(bytes, (reader) => takeStructure(reader, bytes, type))
  } catch (error) {
    if (error instanceof OutcomeError) throw refused(command, `no ${type}: ${error.message}`)
    throw error
  }
  return bytes
}

const isNumber = (type: InputType): type is NumberType => Object.hasOwn(NUMBER_BYTES, type)

const refused = (command: AnyCommand, detail: string): KeepsealError =>
  new KeepsealError('tpm.command-failed', `TPM2_${command.name}: ${detail}`)
