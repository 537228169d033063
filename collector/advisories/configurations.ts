import { fromHex } from '../../shared/bytes/bytes.ts'
import type { SectionContents, SectionId } from '../../shared/posture/sections.ts'
import type { Met } from '../model/product-statement.ts'
import type { PostureToMeet } from '../store/product-configurations.ts'
import type { Store } from '../store/index.ts'
import { areMet, sectionsFor, type SectionsOf } from './conditions.ts'
import { readSection } from './sections.ts'

const POSTURES = 200

/**
 * Which postures meet which configurations: each pair is looked at once, since neither ever changes. One whose sections
 * are still on their way, or can only be read by a newer version, is passed by: until then nobody knows. True when there
 * was something to do.
 */
export async function lookAtConfigurations(store: Store): Promise<boolean> {
  let wasAny = false
  let last: PostureToMeet | undefined
  // Many postures share the sections that a configuration is about.
  const known = new Map<string, Met | undefined>()
  for (;;) {
    const batch = await store.productConfigurations.toLookAt(POSTURES, last)
    await store.transaction(async (transaction) => {
      for (const one of batch) {
        const met = await lookAt(transaction, one, known)
        if (met === undefined) continue
        await transaction.productConfigurations.setMet(one.configuration, one.digest, met)
        wasAny = true
      }
    })
    last = batch.at(-1)
    if (batch.length < POSTURES) return wasAny
  }
}

/** Undefined where a section that is not here yet, or cannot be read yet, may decide it. */
async function lookAt(
  store: Store,
  { configuration, conditions, vendor, sections }: PostureToMeet,
  known: Map<string, Met | undefined>,
): Promise<Met | undefined> {
  const digests = JSON.parse(sections) as Record<string, string>
  const ids = sectionsFor(conditions)
  const key = [vendor, configuration, ...ids.map((id) => digests[id] ?? '')].join(' ')
  if (known.has(key)) return known.get(key)
  const contents = new Map<SectionId, SectionContents[SectionId] | null>()
  let isAllRead = true
  for (const id of ids) {
    const digest = digests[id]
    const content = digest === undefined ? null : await readSection(store, vendor, id, fromHex(digest))
    if (content === 'missing' || content === 'unreadable') isAllRead = false
    else contents.set(id, content)
  }
  const of = ((id: SectionId) => contents.get(id) ?? null) as SectionsOf
  const met = areMet(conditions, of)
  const found = met === 'unknown' && !isAllRead ? undefined : met
  known.set(key, found)
  return found
}
