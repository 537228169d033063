import { decodeCbor } from '../cbor/codec.ts'
import { field, type CborField } from '../cbor/fields.ts'
import type { CborKey, CborMap, CborValue } from '../cbor/value.ts'
import { bankId, bankOf, BANK_SIZE, type PcrBank } from '../tpm/constants.ts'
import type { PcrValues } from '../tpm/pcr-selection.ts'

/** What the TPM said, beside the claims. PCR values and logs are proven by the quote, not by their place here. */
export interface TpmEvidence {
  /** TPMS_ATTEST and TPMT_SIGNATURE as the TPM gave them. */
  readonly attest: Uint8Array
  readonly signature: Uint8Array
  /** null: the values are the ones that the collector has acknowledged for the same pcrDigest. */
  readonly pcrs: PcrValues | null
  readonly logs: MeasurementLogs
}

export interface MeasurementLogs {
  /** SHA-256 of the firmware's event log, whose content travels like a section; null where there is none. */
  readonly firmware: Uint8Array | null
  readonly ima: ImaSuffix | null
}

/** The kernel's measurement list from entry number `first` on: the entries, or their digest when they are many. */
export interface ImaSuffix {
  readonly first: number
  readonly entries: Uint8Array
}

const LOG_FIRMWARE = 1
const LOG_IMA = 2
const MAX_PCR = 31
const MAX_TPM_BYTES = { min: 1, max: 1024 }

export function tpmEvidenceToCbor({ attest, signature, pcrs, logs }: TpmEvidence): CborValue {
  return [attest, signature, pcrs === null ? null : pcrValuesToCbor(pcrs), logsToCbor(logs)]
}

export function pcrValuesToCbor(values: PcrValues): CborMap {
  return new Map([...values].map(([bank, pcrs]) => [bankId(bank), pcrs] as const))
}

function logsToCbor({ firmware, ima }: MeasurementLogs): CborMap {
  const map = new Map<CborKey, CborValue>()
  if (firmware !== null) map.set(LOG_FIRMWARE, firmware)
  if (ima !== null) map.set(LOG_IMA, [ima.first, ima.entries])
  return map
}

/** Refuses the message under the field's own code. */
export function readTpmEvidence(item: CborField): TpmEvidence {
  const [attest, signature, pcrs, logs] = item.tuple('attest', 'signature', 'pcrs', 'logs')
  const values = pcrs.nullable()
  return {
    attest: attest.bytes(MAX_TPM_BYTES),
    signature: signature.bytes(MAX_TPM_BYTES),
    pcrs: values === null ? null : readPcrValues(values),
    logs: readLogs(logs),
  }
}

/** Every value has the length of its bank: a shorter one would shift bytes from one PCR to the next. */
export function readPcrValues(item: CborField): PcrValues {
  const values = new Map<PcrBank, ReadonlyMap<number, Uint8Array>>()
  for (const [id, pcrs] of item.entries({ min: 1, max: 8 })) {
    const bank = typeof id === 'number' ? bankOf(id) : undefined
    if (bank === undefined) return item.refuse(`PCR bank ${id} is not known`)
    const bankValues = new Map<number, Uint8Array>()
    for (const [pcr, value] of pcrs.entries({ min: 1, max: MAX_PCR + 1 })) {
      if (typeof pcr !== 'number' || pcr < 0 || pcr > MAX_PCR) return pcrs.refuse(`PCR ${pcr} does not exist`)
      bankValues.set(pcr, value.bytes({ length: BANK_SIZE[bank] }))
    }
    values.set(bank, bankValues)
  }
  return values
}

/** Values in the encoding in which they travel and are stored. Throws OutcomeError `cbor.*`, `tpm.malformed`. */
export const pcrValuesFromCbor = (bytes: Uint8Array): PcrValues =>
  readPcrValues(field(decodeCbor(bytes), 'tpm.malformed', 'pcrs'))

function readLogs(item: CborField): MeasurementLogs {
  item.requireOnly([LOG_FIRMWARE, LOG_IMA])
  const ima = item.maybe(LOG_IMA, 'ima')?.tuple('first', 'entries')
  return {
    firmware: item.maybe(LOG_FIRMWARE, 'firmware')?.bytes({ length: 32 }) ?? null,
    ima: ima === undefined ? null : { first: ima[0].uint(), entries: ima[1].bytes({ min: 1, max: 65_536 }) },
  }
}
