import { addRecord, emptyInventory, type Inventory } from './inventory.ts'
import { readPackage, RPM_TAGS } from './rpm-header.ts'

const COLUMNS = ['name', 'epoch', 'version', 'release', 'architecture', 'source'] as const
/** What rpm prints for a tag that a package does not have. */
const NONE = '(none)'

/** What `rpm -qa` prints in the format of ../commands.ts: one package a line, its columns between tabs. */
export function parseRpmList(text: string): Inventory {
  const inventory = emptyInventory()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const values = line.split('\t')
    const isWhole = values.length === COLUMNS.length
    const byTag = new Map<number, string>()
    for (const [at, column] of COLUMNS.entries()) {
      const value = values[at]
      if (value !== undefined && value !== NONE) byTag.set(RPM_TAGS[column], value)
    }
    addRecord(inventory, isWhole ? readPackage(byTag) : 'malformed')
  }
  if (text !== '' && !text.endsWith('\n')) inventory.incomplete = true
  return inventory
}
