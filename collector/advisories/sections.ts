import { OutcomeError } from '../../shared/errors.ts'
import { decodeSection } from '../../shared/posture/canonical.ts'
import type { SectionContents, SectionId } from '../../shared/posture/sections.ts'
import type { Store } from '../store/index.ts'

/** `missing`: it has not arrived yet. `unreadable`: it is of a newer schema. Null: it says nothing. */
export async function readSection<S extends SectionId>(
  store: Store,
  vendor: string,
  id: S,
  digest: Uint8Array,
): Promise<SectionContents[S] | 'missing' | 'unreadable' | null> {
  const bytes = await store.sections.find(vendor, digest)
  if (bytes === undefined) return 'missing'
  try {
    const reading = decodeSection(id, bytes)
    return reading.status === 'measured' ? reading.content : null
  } catch (error) {
    // Whoever sent it is appraised elsewhere.
    if (error instanceof OutcomeError) return 'unreadable'
    throw error
  }
}
