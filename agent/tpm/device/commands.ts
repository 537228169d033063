import { ByteReader } from '../../../shared/bytes/reader.ts'
import { ByteWriter } from '../../../shared/bytes/writer.ts'
import { tpmHandleOf } from './handles.ts'
import type { Structure } from './structures.ts'

/** One command of TPM 2.0 Part 3, as far as the table of ESAPI functions does not say it already. */
export interface WireCommand {
  /** TPM_CC, Part 2 section 6.5.2. */
  readonly code: number
  /** Handles before the authorization area. */
  readonly handles: number
  /** The function takes three session handles behind the handles. */
  readonly sessions: boolean
  /** Whether a handle begins the answer. */
  readonly answersHandle: boolean
  /** The parameters of the answer. The first are those of the ESAPI function; it keeps what is behind them to itself. */
  readonly answer: readonly Structure[]
  /** Where ESAPI adds something to the parameters, or stands in for it. */
  readonly complete?: (parameters: readonly Uint8Array[], random: (length: number) => Uint8Array) => Uint8Array[]
}

const command = (
  code: number,
  handles: number,
  answer: readonly Structure[],
  others: Partial<WireCommand> = {},
): WireCommand => ({ code, handles, sessions: true, answersHandle: false, answer, ...others })

/** Part 1, "Session Nonces": 16 bytes at least, and no more than the digest of the session's hash. */
export const NONCE_BYTES = 16

/** nonceCaller is chosen here, and encryptedSalt behind it is empty: the session is not salted (Part 3, 11.1). */
const withNonce: NonNullable<WireCommand['complete']> = ([, ...others], random) => [
  new ByteWriter().sized16(random(NONCE_BYTES)).finish(),
  new ByteWriter().sized16(new Uint8Array(0)).finish(),
  ...others,
]

/** TPM2_Hash (15.4) has the hierarchy of its ticket among the parameters, where ESAPI has a number of its own for it. */
const withHierarchy: NonNullable<WireCommand['complete']> = ([data, algorithm, hierarchy]) => [
  data ?? new Uint8Array(0),
  algorithm ?? new Uint8Array(0),
  new ByteWriter().u32(tpmHandleOf(new ByteReader(hierarchy ?? new Uint8Array(4)).u32())).finish(),
]

/** By the names of the ESAPI functions. The sections are those of Part 3. */
export const WIRE_COMMANDS: Readonly<Record<string, WireCommand>> = {
  // 24.1
  CreatePrimary: command(
    0x131,
    1,
    ['TPM2B_PUBLIC', 'TPM2B_CREATION_DATA', 'TPM2B_DIGEST', 'TPMT_TK_CREATION', 'TPM2B_NAME'],
    { answersHandle: true },
  ),
  // 12.4
  ReadPublic: command(0x173, 1, ['TPM2B_PUBLIC', 'TPM2B_NAME', 'TPM2B_NAME']),
  // 28.4: the handle is a parameter, which without authorizations is the same bytes.
  FlushContext: command(0x165, 1, [], { sessions: false }),
  // 28.2
  ContextSave: command(0x162, 1, ['TPMS_CONTEXT'], { sessions: false }),
  // 28.3
  ContextLoad: command(0x161, 0, [], { sessions: false, answersHandle: true }),
  // 18.4
  Quote: command(0x158, 1, ['TPM2B_ATTEST', 'TPMT_SIGNATURE']),
  // 20.2
  Sign: command(0x15d, 1, ['TPMT_SIGNATURE']),
  // 15.4
  Hash: command(0x17d, 0, ['TPM2B_DIGEST', 'TPMT_TK_HASHCHECK'], { complete: withHierarchy }),
  // 12.5
  ActivateCredential: command(0x147, 2, ['TPM2B_DIGEST']),
  // 11.1
  StartAuthSession: command(0x176, 2, ['TPM2B_DIGEST'], { answersHandle: true, complete: withNonce }),
  // 23.4: TPM2B_TIMEOUT is laid out as any TPM2B.
  PolicySecret: command(0x151, 2, ['TPM2B_DIGEST', 'TPMT_TK_AUTH']),
  // 31.6
  NV_ReadPublic: command(0x169, 1, ['TPM2B_NV_PUBLIC', 'TPM2B_NAME']),
  // 31.13
  NV_Read: command(0x14e, 2, ['TPM2B_MAX_NV_BUFFER']),
  // 22.4
  PCR_Read: command(0x17e, 0, ['UINT32', 'TPML_PCR_SELECTION', 'TPML_DIGEST']),
  // 22.2
  PCR_Extend: command(0x182, 1, []),
  // 29.1
  ReadClock: command(0x181, 0, ['TPMS_TIME_INFO']),
  // 30.2
  GetCapability: command(0x17a, 0, ['UINT8', 'TPMS_CAPABILITY_DATA']),
}
