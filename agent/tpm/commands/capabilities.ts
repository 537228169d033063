import { ByteReader } from '../../../shared/bytes/reader.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { bankOf, curveOf, type EccCurve, type PcrBank } from '../../../shared/tpm/constants.ts'
import { ESAPI, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'

/** TPM_CAP, Part 2 section 6.12. */
const TPM_CAP = { handles: 1, pcrs: 5, tpmProperties: 6, eccCurves: 8 } as const

/** TPM_PT, Part 2 section 6.13: the fixed group begins at 0x100, the variable one at 0x200. */
export const TPM_PT = {
  familyIndicator: 0x100,
  revision: 0x102,
  manufacturer: 0x105,
  vendorString1: 0x106,
  vendorString4: 0x109,
  firmwareVersion1: 0x10b,
  firmwareVersion2: 0x10c,
  nvBufferMax: 0x12c,
  permanent: 0x200,
  startupClear: 0x201,
  lockoutCounter: 0x20e,
  maxAuthFail: 0x20f,
  lockoutInterval: 0x210,
  lockoutRecovery: 0x211,
} as const

/** TPMA_PERMANENT, Part 2 section 8.6. */
export const TPMA_PERMANENT = {
  ownerAuthSet: 1 << 0,
  endorsementAuthSet: 1 << 1,
  lockoutAuthSet: 1 << 2,
  disableClear: 1 << 8,
  inLockout: 1 << 9,
} as const

/** TPMA_STARTUP_CLEAR, Part 2 section 8.7. */
export const TPMA_STARTUP_CLEAR = { phEnable: 1 << 0, shEnable: 1 << 1, ehEnable: 1 << 2, phEnableNV: 1 << 3 } as const

/** TPM2_GetCapability (Part 3, 30.2): a reader behind the number of entries, and that number. */
async function capability(
  tpm: Tpm,
  kind: number,
  first: number,
  limit: number,
): Promise<{ reader: ByteReader; count: number }> {
  const [, data] = await tpm.execute(ESAPI.getCapability, [...UNAUTHORIZED, kind, first, limit])
  const reader = new ByteReader(data)
  const answered = reader.u32()
  if (answered !== kind) throw new KeepsealError('tpm.command-failed', `GetCapability: ${answered} instead of ${kind}`)
  return { reader, count: reader.u32() }
}

/** TPMS_TAGGED_PROPERTY, Part 2 section 10.8.2: up to `limit` properties from `first` on, as far as the TPM has them. */
export async function readTpmProperties(tpm: Tpm, first: number, limit: number): Promise<ReadonlyMap<number, number>> {
  const { reader, count } = await capability(tpm, TPM_CAP.tpmProperties, first, limit)
  return new Map(Array.from({ length: count }, () => [reader.u32(), reader.u32()] as const))
}

/** One property; undefined where the TPM does not have it (it then answers with the next one). */
export async function readTpmProperty(tpm: Tpm, property: number): Promise<number | undefined> {
  return (await readTpmProperties(tpm, property, 1)).get(property)
}

/** What the TPM says about itself. */
export interface TpmDescription {
  /** Four characters of the TCG Vendor ID Registry, `IFX` or `STM` for example. */
  readonly manufacturer: string
  readonly vendorString: string
  /** Both halves of the firmware version; how they are split further is the vendor's affair. */
  readonly firmwareVersion: readonly [number, number]
  /** Failed authorizations that count towards dictionary-attack lockout. */
  readonly lockoutCounter: number
  readonly inLockout: boolean
  readonly endorsementPasswordSet: boolean
}

export async function describeTpm(tpm: Tpm): Promise<TpmDescription> {
  const fixed = await readTpmProperties(tpm, TPM_PT.manufacturer, TPM_PT.firmwareVersion2 - TPM_PT.manufacturer + 1)
  const variable = await readTpmProperties(tpm, TPM_PT.permanent, TPM_PT.lockoutCounter - TPM_PT.permanent + 1)
  const permanent = variable.get(TPM_PT.permanent) ?? 0
  let vendorString = ''
  for (let property = TPM_PT.vendorString1; property <= TPM_PT.vendorString4; property++) {
    vendorString += fourCharacters(fixed.get(property))
  }
  return {
    manufacturer: fourCharacters(fixed.get(TPM_PT.manufacturer)).trim(),
    vendorString: vendorString.trim(),
    firmwareVersion: [fixed.get(TPM_PT.firmwareVersion1) ?? 0, fixed.get(TPM_PT.firmwareVersion2) ?? 0],
    lockoutCounter: variable.get(TPM_PT.lockoutCounter) ?? 0,
    inLockout: (permanent & TPMA_PERMANENT.inLockout) !== 0,
    endorsementPasswordSet: (permanent & TPMA_PERMANENT.endorsementAuthSet) !== 0,
  }
}

/** A number that holds printable characters, most significant first, filled up with zeros. */
export function fourCharacters(value = 0): string {
  const codes = [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
  return String.fromCharCode(...codes.filter((code) => code >= 0x20 && code < 0x7f))
}

/** The handles in use in the range of TPM_HT that begins with `first`. */
export async function readHandles(tpm: Tpm, first: number): Promise<readonly number[]> {
  const { reader, count } = await capability(tpm, TPM_CAP.handles, first, 254)
  return Array.from({ length: count }, () => reader.u32())
}

/** The elliptic curves of this TPM, as far as Keepseal knows them. */
export async function readCurves(tpm: Tpm): Promise<ReadonlySet<EccCurve>> {
  const { reader, count } = await capability(tpm, TPM_CAP.eccCurves, 0, 64)
  const ids = Array.from({ length: count }, () => reader.u16())
  return new Set(ids.map((id) => curveOf(id)).filter((curve) => curve !== undefined))
}

/** The PCR banks that are allocated, and the PCRs in each. A bank without any, or an unknown one, is left out. */
export async function readAllocatedBanks(tpm: Tpm): Promise<ReadonlyMap<PcrBank, readonly number[]>> {
  const { reader, count } = await capability(tpm, TPM_CAP.pcrs, 0, 1)
  const banks = new Map<PcrBank, readonly number[]>()
  for (let i = 0; i < count; i++) {
    const bank = bankOf(reader.u16())
    const bitmap = reader.bytes(reader.u8())
    const pcrs = [...bitmap].flatMap((byte, k) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => k * 8 + bit),
    )
    if (bank !== undefined && pcrs.length > 0) banks.set(bank, pcrs)
  }
  return banks
}
