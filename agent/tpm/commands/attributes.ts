import type { Observation } from '../../../shared/posture/observation.ts'
import type { FIRMWARE_PCRS, TpmContent } from '../../../shared/posture/sections/tpm.ts'
import type { PcrBank } from '../../../shared/tpm/constants.ts'
import type { Tpm } from '../tpm.ts'
import {
  fourCharacters,
  readAllocatedBanks,
  readTpmProperties,
  TPM_PT,
  TPMA_PERMANENT,
  TPMA_STARTUP_CLEAR,
} from './capabilities.ts'
import { readPcrs } from './pcrs.ts'

/** What the TPM says about itself. It signs none of this. */
export interface TpmAttributes {
  readonly content: TpmContent
  /** TPM_PT_LOCKOUT_COUNTER: failed authorizations that count towards lockout. Differs from report to report. */
  readonly lockoutCounter: Observation<number>
}

/** TPM 2.0 Part 2 section 6.13 (properties), and TPM_CAP_PCRS with the values of PCRs 0 to 7 in each bank. */
export async function readTpmAttributes(tpm: Tpm): Promise<TpmAttributes> {
  const { familyIndicator, firmwareVersion2, permanent, lockoutRecovery } = TPM_PT
  const fixed = await readTpmProperties(tpm, familyIndicator, firmwareVersion2 - familyIndicator + 1)
  const variable = await readTpmProperties(tpm, permanent, lockoutRecovery - permanent + 1)
  const banks: TpmContent['banks'] = []
  for (const [bank, pcrs] of await readAllocatedBanks(tpm)) {
    banks.push({ bank, firmwarePcrs: await readFirmwarePcrs(tpm, bank, pcrs) })
  }
  return {
    content: { ...identityOf(fixed), ...settingsOf(variable), banks },
    lockoutCounter: lockoutCounterOf(variable),
  }
}

type Properties = ReadonlyMap<number, number>

/** The properties together, or the honest answer that the TPM does not have one of them. */
function observeProperties<T>(
  properties: Properties,
  wanted: readonly number[],
  read: (...values: number[]) => T,
): Observation<T> {
  const values = wanted.map((property) => properties.get(property)).filter((value) => value !== undefined)
  return values.length === wanted.length ? { value: read(...values) } : { missing: 'absent' }
}

function identityOf(fixed: Properties) {
  const characters = (...values: number[]): string =>
    values
      .map((value) => fourCharacters(value))
      .join('')
      .trim()
  const { vendorString1, vendorString4 } = TPM_PT
  const vendorStrings = Array.from({ length: vendorString4 - vendorString1 + 1 }, (_, index) => vendorString1 + index)
  return {
    family: observeProperties(fixed, [TPM_PT.familyIndicator], characters),
    revision: observeProperties(fixed, [TPM_PT.revision], (revision = 0) => revision),
    manufacturer: observeProperties(fixed, [TPM_PT.manufacturer], characters),
    model: observeProperties(fixed, vendorStrings, characters),
    firmware: observeProperties(fixed, [TPM_PT.firmwareVersion1, TPM_PT.firmwareVersion2], (...halves) =>
      halves.flatMap((half) => [half >>> 16, half & 0xffff]).join('.'),
    ),
  }
}

function settingsOf(variable: Properties) {
  return {
    permanent: observeProperties(variable, [TPM_PT.permanent], (value = 0) => flagsOf(TPMA_PERMANENT, value)),
    startup: observeProperties(variable, [TPM_PT.startupClear], (value = 0) => flagsOf(TPMA_STARTUP_CLEAR, value)),
    lockout: observeProperties(
      variable,
      [TPM_PT.maxAuthFail, TPM_PT.lockoutInterval, TPM_PT.lockoutRecovery],
      (maxAuthFail = 0, intervalSeconds = 0, recoverySeconds = 0) => ({
        maxAuthFail,
        intervalSeconds,
        recoverySeconds,
      }),
    ),
  }
}

const lockoutCounterOf = (variable: Properties): Observation<number> =>
  observeProperties(variable, [TPM_PT.lockoutCounter], (counter = 0) => counter)

function flagsOf<Name extends string>(bits: Readonly<Record<Name, number>>, value: number): Record<Name, boolean> {
  const flags = (Object.keys(bits) as Name[]).map((name) => [name, (value & bits[name]) !== 0] as const)
  return Object.fromEntries(flags) as Record<Name, boolean>
}

const FIRMWARE_PCR_COUNT = 8

/** The PCRs that TCG PC Client Platform Firmware Profile section 3.3.4 gives to the firmware. */
async function readFirmwarePcrs(
  tpm: Tpm,
  bank: PcrBank,
  allocated: readonly number[],
): Promise<Observation<(typeof FIRMWARE_PCRS)[number]>> {
  const pcrs = allocated.filter((pcr) => pcr < FIRMWARE_PCR_COUNT)
  if (pcrs.length === 0) return { missing: 'absent' }
  const values = (await readPcrs(tpm, [{ bank, pcrs }])).get(bank) ?? new Map<number, Uint8Array>()
  const extended = [...values].filter(([pcr, value]) => !isInitialValue(pcr, value)).length
  return { value: extended === 0 ? 'never' : extended === FIRMWARE_PCR_COUNT ? 'extended' : 'partly' }
}

const MAX_LOCALITY = 4

/** All 00, or all ff. PCR 0 starts with the locality of TPM2_Startup in its last byte (PFP section 10.4.5.3). */
function isInitialValue(pcr: number, value: Uint8Array): boolean {
  const last = value.length - 1
  const filler = value[0] === 0xff ? 0xff : 0
  if (!value.subarray(0, last).every((byte) => byte === filler)) return false
  const end = value[last] ?? filler
  return end === filler || (pcr === 0 && filler === 0 && end <= MAX_LOCALITY)
}
