import { toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import type { UpdateChannelContent } from '../../../shared/posture/sections/update-channel.ts'
import type { Store } from '../../store/index.ts'
import type { UpdateKey } from '../triggers/calendar-triggers.ts'

/** More different lists of sources than any product has. */
const MAX_KEPT = 1_000

/**
 * The keys that updates of a fleet hang on. A keyring may hold old and new keys side by side: what matters is when its
 * last one ends. Content is looked at once, however many units report it.
 */
export class UpdateKeys {
  readonly #kept = new Map<string, readonly UpdateKey[]>()

  /** Of units that have reported since; null where none of them tells. */
  async of(store: Store, product: { readonly id: string; readonly vendor: string }, since: number) {
    const { id, vendor } = product
    const digests = new Map<string, Uint8Array>()
    for (const posture of await store.postures.ofUnits(id, since)) {
      const section = (await store.postures.find(vendor, posture))?.get('update-channel')
      if (section !== undefined) digests.set(toHex(section), section)
    }
    const all = new Map<string, UpdateKey>()
    let isTold = false
    for (const [name, digest] of digests) {
      const keys = await this.#read(store, vendor, name, digest)
      if (keys === undefined) continue
      isTold = true
      for (const key of keys) all.set(`${key.keyId} ${key.expiresAt}`, key)
    }
    return isTold ? [...all.values()] : null
  }

  async #read(store: Store, vendor: string, name: string, digest: Uint8Array) {
    const kept = this.#kept.get(`${vendor} ${name}`)
    if (kept !== undefined) return kept
    const bytes = await store.sections.find(vendor, digest)
    const content = bytes && contentOf(bytes)
    if (content === undefined) return undefined
    const keys = keysThatEnd(content)
    this.#kept.set(`${vendor} ${name}`, keys)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break
      this.#kept.delete(oldest)
    }
    return keys
  }
}

function contentOf(bytes: Uint8Array): UpdateChannelContent | undefined {
  try {
    const reading = decodeSection('update-channel', bytes)
    return reading.status === 'measured' ? reading.content : undefined
  } catch (error) {
    // Of a newer schema: nothing is known of it here.
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}

/** Of each keyring that sources use, the key that ends last, unless one never ends. */
export function keysThatEnd({ channels }: UpdateChannelContent): readonly UpdateKey[] {
  return channels.flatMap(({ sources, keyrings }) => {
    const named = new Set(sources.flatMap(({ signedBy }) => signedBy))
    const used = keyrings.filter(({ path, trustedForAll }) => trustedForAll || named.has(path))
    return used.flatMap(({ keys }) => {
      const ending = keys.flatMap(({ fingerprint, expires }) =>
        expires === undefined ? [] : [{ keyId: fingerprint, expiresAt: expires }],
      )
      if (ending.length === 0 || ending.length < keys.length) return []
      return [ending.reduce((last, each) => (each.expiresAt > last.expiresAt ? each : last))]
    })
  })
}
