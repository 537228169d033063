import type { Package } from '../../../shared/posture/sections/packages.ts'

/** What one package manager's database says is installed. */
export interface Inventory {
  readonly packages: Package[]
  malformed: number
  incomplete: boolean
}

/** No database of a gateway comes near; a larger one is refused, not read. */
export const MAX_DATABASE_BYTES = 16 * 1024 * 1024

export const emptyInventory = (): Inventory => ({ packages: [], malformed: 0, incomplete: false })

export function addRecord(inventory: Inventory, record: Package | 'not-installed' | 'malformed'): void {
  if (record === 'malformed') inventory.malformed += 1
  else if (record !== 'not-installed') inventory.packages.push(record)
}
