import type { Selectable } from 'kysely'
import type { ImaState, ImaSummary } from '../model/ima-state.ts'
import type { DeviceStatesTable } from './schema.ts'

/** Between the columns of `device_states` about the kernel's measurement list and their model. */

export function toImaState(row: Selectable<DeviceStatesTable>): ImaState | null {
  const { ima_boot_seed: bootSeed, ima_verdict: verdict, ima_summary: summary } = row
  if (bootSeed === null || verdict === null || summary === null) return null
  return { bootSeed, base: toBase(row), verdict, summary: JSON.parse(summary) as ImaSummary }
}

function toBase(row: Selectable<DeviceStatesTable>): ImaState['base'] {
  const { ima_bank: bank, ima_entries: entries, ima_pcr10: pcr10, ima_padding_mode: paddingMode } = row
  if (bank === null || entries === null || pcr10 === null || paddingMode === null) return null
  return { bank, entries, pcr10, paddingMode }
}

export function imaColumns(state: ImaState | null) {
  return {
    ima_boot_seed: state?.bootSeed ?? null,
    ima_bank: state?.base?.bank ?? null,
    ima_entries: state?.base?.entries ?? null,
    ima_pcr10: state?.base?.pcr10 ?? null,
    ima_padding_mode: state?.base?.paddingMode ?? null,
    ima_verdict: state?.verdict ?? null,
    ima_summary: state === null ? null : JSON.stringify(state.summary),
  }
}
