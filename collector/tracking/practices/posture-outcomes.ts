import { toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import {
  POSTURE_SIGNAL_IDS,
  POSTURE_SIGNALS,
  type Outcome,
  type Posture,
  type PostureSignalId,
} from '../../../shared/maturity/signals/posture.ts'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'
import { isSectionId, type SectionId } from '../../../shared/posture/sections.ts'
import type { Store } from '../../store/index.ts'

export type Outcomes = Readonly<Record<PostureSignalId, Outcome>>

const nothingKnown = Object.fromEntries(POSTURE_SIGNAL_IDS.map((id) => [id, 'unknown'])) as Outcomes

/** More different postures than any fleet of one release has. */
const MAX_KEPT = 2_000

/**
 * What postures say, each looked at once a day however many devices report it: content is named by its digest, and
 * only what is supported depends on the day.
 */
export class PostureOutcomes {
  readonly #outcomes = new Map<string, Outcomes>()
  readonly #packages = new Map<string, PackagesContent | null>()

  async of(store: Store, vendor: string, digest: Uint8Array, today: string): Promise<Outcomes> {
    const key = `${vendor} ${toHex(digest)} ${today}`
    const kept = this.#outcomes.get(key)
    if (kept !== undefined) return kept
    const { posture, isWhole } = await readPosture(store, vendor, digest)
    const outcomes = Object.fromEntries(
      POSTURE_SIGNAL_IDS.map((id) => [id, POSTURE_SIGNALS[id](posture, { today })]),
    ) as Outcomes
    // Content that is still on its way will say more.
    if (isWhole) keep(this.#outcomes, key, outcomes)
    return outcomes
  }

  /** The packages of a posture; null where they are not told. */
  async packages(store: Store, vendor: string, digest: Uint8Array): Promise<PackagesContent | null> {
    const section = (await store.postures.find(vendor, digest))?.get('packages')
    if (section === undefined) return null
    const key = `${vendor} ${toHex(section)}`
    const kept = this.#packages.get(key)
    if (kept !== undefined) return kept
    const read = await readSection(store, vendor, 'packages', section)
    if (read === 'missing') return null
    keep(this.#packages, key, read ?? null)
    return read ?? null
  }

  /** The content of one section of a posture; undefined where it is not told. */
  async content(store: Store, vendor: string, digest: Uint8Array, id: SectionId): Promise<unknown> {
    const section = (await store.postures.find(vendor, digest))?.get(id)
    const read = section === undefined ? undefined : await readSection(store, vendor, id, section)
    return read === 'missing' ? undefined : read
  }
}

export const unknownOutcomes = nothingKnown

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= MAX_KEPT) break
    map.delete(oldest)
  }
}

async function readPosture(
  store: Store,
  vendor: string,
  digest: Uint8Array,
): Promise<{ readonly posture: Posture; readonly isWhole: boolean }> {
  const posture: Record<string, unknown> = {}
  let isWhole = true
  const sections = await store.postures.find(vendor, digest)
  for (const [id, section] of sections ?? []) {
    if (!isSectionId(id)) continue
    const content = await readSection(store, vendor, id, section)
    if (content === 'missing') isWhole = false
    else if (content !== undefined) posture[id] = content
  }
  return { posture: posture as Posture, isWhole: isWhole && sections !== undefined }
}

/** `missing`: not here yet. undefined: the unit says that it could not measure it, or it is of a newer schema. */
async function readSection<S extends SectionId>(store: Store, vendor: string, id: S, digest: Uint8Array) {
  const bytes = await store.sections.find(vendor, digest)
  if (bytes === undefined) return 'missing' as const
  try {
    const reading = decodeSection(id, bytes)
    return reading.status === 'measured' ? reading.content : undefined
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}
