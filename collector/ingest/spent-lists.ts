import { fromHex } from '../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { detectImaFormat } from '../../shared/ima/detect.ts'
import { parseBinaryImaList } from '../../shared/ima/parse-binary.ts'
import type { Store } from '../store/index.ts'

/**
 * Removes measurement lists that were verified or have given way: each is of one device and one boot, and a fleet's
 * would pile up. A device chooses what it names as its list, so that nothing else is removed by it.
 */
export async function removeSpentLists(store: Store, vendor: string, digests: readonly string[]): Promise<void> {
  for (const digest of new Set(digests)) {
    const content = await store.sections.find(vendor, fromHex(digest))
    if (content !== undefined && isMeasurementList(content)) await store.sections.remove(vendor, fromHex(digest))
  }
}

function isMeasurementList(content: Uint8Array): boolean {
  const format = detectImaFormat(content)
  if (format.format === 'ascii') return false
  try {
    parseBinaryImaList(content, { byteOrder: format.byteOrder })
    return true
  } catch (error) {
    if (error instanceof OutcomeError) return false
    throw error
  }
}
