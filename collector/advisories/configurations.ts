import { fromHex } from '../../shared/bytes/bytes.ts'
import type { SectionContents, SectionId } from '../../shared/posture/sections.ts'
import type { PostureToMeet } from '../store/product-configurations.ts'
import type { Store } from '../store/index.ts'
import { areMet, sectionsFor, type SectionsOf } from './conditions.ts'
import { readSection } from './sections.ts'

const POSTURES = 200

/**
 * Which postures meet which configurations: each pair is looked at once, since neither ever changes. One whose sections
 * are still on their way is passed by, and meets nothing until then. True when there was something to do.
 */
export async function lookAtConfigurations(store: Store): Promise<boolean> {
  let wasAny = false
  let last: PostureToMeet | undefined
  // Many postures share the sections that a configuration is about.
  const known = new Map<string, boolean>()
  for (;;) {
    const batch = await store.productConfigurations.toLookAt(POSTURES, last)
    await store.transaction(async (transaction) => {
      for (const one of batch) {
        const isMet = await lookAt(transaction, one, known)
        if (isMet === undefined) continue
        await transaction.productConfigurations.setMet(one.configuration, one.digest, isMet)
        wasAny = true
      }
    })
    last = batch.at(-1)
    if (batch.length < POSTURES) return wasAny
  }
}

/** Undefined where a section is not here yet. */
async function lookAt(
  store: Store,
  { configuration, conditions, vendor, sections }: PostureToMeet,
  known: Map<string, boolean>,
): Promise<boolean | undefined> {
  const digests = JSON.parse(sections) as Record<string, string>
  const ids = sectionsFor(conditions)
  const key = [configuration, ...ids.map((id) => digests[id] ?? '')].join(' ')
  const before = known.get(key)
  if (before !== undefined) return before
  const contents = new Map<SectionId, SectionContents[SectionId] | null>()
  for (const id of ids) {
    const digest = digests[id]
    const content = digest === undefined ? null : await readSection(store, vendor, id, fromHex(digest))
    if (content === 'missing') return undefined
    contents.set(id, content)
  }
  const of = ((id: SectionId) => contents.get(id) ?? null) as SectionsOf
  const isMet = areMet(conditions, of)
  known.set(key, isMet)
  return isMet
}
