import type { WireType } from './marshal.ts'

/**
 * The functions of the TSS 2.0 Enhanced System API that Keepseal calls, each by its parameters after the context:
 * inputs first, then outputs, as the ESAPI specification orders them. A WireType stands for a pointer to that
 * structure. An output structure is allocated by ESAPI and freed here.
 */
export type NumberType = 'uint8' | 'uint16' | 'uint32' | 'int32'
export type InputType = NumberType | WireType

/** `object`: a handle that occupies a slot of the TPM until it is flushed. `discarded`: a structure nobody reads. */
export type OutputType = 'uint8' | 'uint32' | 'object' | 'discarded' | WireType

/** A structure travels as its wire bytes; null is NULL, where ESAPI allows it. */
type InputValue<T> = T extends NumberType ? number : Uint8Array | null
type OutputValue<T> = T extends WireType ? Uint8Array : T extends 'discarded' ? undefined : number

export type InputValues<T extends readonly InputType[]> = { readonly [K in keyof T]: InputValue<T[K]> }
export type OutputValues<T extends readonly OutputType[]> = { -readonly [K in keyof T]: OutputValue<T[K]> }

export interface Command<I extends readonly InputType[], O extends readonly OutputType[]> {
  /** Without the prefix `Esys_`. */
  readonly name: string
  readonly inputs: I
  readonly outputs: O
  readonly boundMs: number
}

const BOUND_MS = 30_000
/** A discrete TPM may search for the primes of an RSA key for a minute. */
const KEY_CREATION_BOUND_MS = 120_000

function command<const I extends readonly InputType[], const O extends readonly OutputType[]>(
  name: string,
  inputs: I,
  outputs: O,
  boundMs = BOUND_MS,
): Command<I, O> {
  return { name, inputs, outputs, boundMs }
}

/** The three session handles that most commands take. */
const SESSIONS = ['uint32', 'uint32', 'uint32'] as const

export const ESAPI = {
  createPrimary: command(
    'CreatePrimary',
    ['uint32', ...SESSIONS, 'TPM2B_SENSITIVE_CREATE', 'TPM2B_PUBLIC', 'TPM2B_DATA', 'TPML_PCR_SELECTION'],
    ['object', 'TPM2B_PUBLIC', 'discarded', 'discarded', 'discarded'],
    KEY_CREATION_BOUND_MS,
  ),
  readPublic: command('ReadPublic', ['uint32', ...SESSIONS], ['TPM2B_PUBLIC', 'TPM2B_NAME', 'discarded']),
  flushContext: command('FlushContext', ['uint32'], []),
  contextSave: command('ContextSave', ['uint32'], ['TPMS_CONTEXT']),
  contextLoad: command('ContextLoad', ['TPMS_CONTEXT'], ['object']),
  quote: command(
    'Quote',
    ['uint32', ...SESSIONS, 'TPM2B_DATA', 'TPMT_SIG_SCHEME', 'TPML_PCR_SELECTION'],
    ['TPM2B_ATTEST', 'TPMT_SIGNATURE'],
  ),
  sign: command(
    'Sign',
    ['uint32', ...SESSIONS, 'TPM2B_DIGEST', 'TPMT_SIG_SCHEME', 'TPMT_TK_HASHCHECK'],
    ['TPMT_SIGNATURE'],
  ),
  hash: command('Hash', [...SESSIONS, 'TPM2B_MAX_BUFFER', 'uint16', 'uint32'], ['TPM2B_DIGEST', 'TPMT_TK_HASHCHECK']),
  activateCredential: command(
    'ActivateCredential',
    ['uint32', 'uint32', ...SESSIONS, 'TPM2B_ID_OBJECT', 'TPM2B_ENCRYPTED_SECRET'],
    ['TPM2B_DIGEST'],
  ),
  startAuthSession: command(
    'StartAuthSession',
    ['uint32', 'uint32', ...SESSIONS, 'TPM2B_DIGEST', 'uint8', 'TPMT_SYM_DEF', 'uint16'],
    ['object'],
  ),
  policySecret: command(
    'PolicySecret',
    ['uint32', 'uint32', ...SESSIONS, 'TPM2B_DIGEST', 'TPM2B_DIGEST', 'TPM2B_DIGEST', 'int32'],
    ['discarded', 'discarded'],
  ),
  setAuthorization: command('TR_SetAuth', ['uint32', 'TPM2B_DIGEST'], []),
  handleOf: command('TR_FromTPMPublic', ['uint32', ...SESSIONS], ['uint32']),
  nvReadPublic: command('NV_ReadPublic', ['uint32', ...SESSIONS], ['TPM2B_NV_PUBLIC', 'discarded']),
  nvRead: command('NV_Read', ['uint32', 'uint32', ...SESSIONS, 'uint16', 'uint16'], ['TPM2B_MAX_NV_BUFFER']),
  pcrRead: command('PCR_Read', [...SESSIONS, 'TPML_PCR_SELECTION'], ['uint32', 'TPML_PCR_SELECTION', 'TPML_DIGEST']),
  pcrExtend: command('PCR_Extend', ['uint32', ...SESSIONS, 'TPML_DIGEST_VALUES'], []),
  readClock: command('ReadClock', SESSIONS, ['TPMS_TIME_INFO']),
  getCapability: command(
    'GetCapability',
    [...SESSIONS, 'uint32', 'uint32', 'uint32'],
    ['uint8', 'TPMS_CAPABILITY_DATA'],
  ),
} as const

/** ESYS_TR constants of the ESAPI specification. PCRs are 0 to 31. */
export const ESYS_TR = { none: 0xfff, password: 0x0ff, endorsement: 0x10b } as const

/** No authorization. */
export const UNAUTHORIZED = [ESYS_TR.none, ESYS_TR.none, ESYS_TR.none] as const

/** The first handle is authorized by the password that ESAPI keeps for it, which is empty unless it was set. */
export const BY_PASSWORD = [ESYS_TR.password, ESYS_TR.none, ESYS_TR.none] as const
