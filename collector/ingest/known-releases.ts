import { fromHex, toHex } from '../../shared/bytes/bytes.ts'
import { OutcomeError, outcomeOf } from '../../shared/errors.ts'
import { decodeBootReference } from '../../shared/eventlog/reference/encoding.ts'
import { decodeSection } from '../../shared/posture/canonical.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import { isSectionId } from '../../shared/posture/sections.ts'
import type { KnownReleases } from '../appraisal/context.ts'
import type { Device } from '../model/device.ts'
import type { Release } from '../model/release.ts'
import { Recent } from '../recent.ts'
import { compileRelease, type CompiledRelease } from '../releases/compiled.ts'
import { decodeDocument, type ReleaseDocument } from '../releases/document.ts'
import type { Candidate, ReleaseJudgement } from '../releases/judge.ts'
import type { ReportedSection } from '../releases/judge-section.ts'
import { presentReleases, releaseSet, releaseSetKey } from '../releases/release-set.ts'
import type { Store } from '../store/index.ts'

const PRODUCTS = 64
const COMPILED = 64
const SETS = 4
const READINGS = 4096
/** Of section contents, encoded; decoded they take several times that. */
const MAX_READING_BYTES = 8 * 1024 * 1024
const JUDGEMENTS = 1024
const MAX_DEVIATIONS = 200_000

/** ms since 1970: as it counts now, or as it counted then. */
export type ReleaseTime = { readonly now: number } | { readonly past: number }

interface ProductReleases {
  readonly version: number
  readonly releases: readonly Release[]
  readonly sets: Recent<KnownReleases>
}

/**
 * Releases as devices are judged by them, and what was found by them: a fleet on one release reports the same content
 * over and over, and is compared once.
 */
export class ReleaseCache {
  readonly #products = new Recent<ProductReleases>(PRODUCTS)
  readonly #compiled = new Recent<CompiledRelease>(COMPILED)
  readonly #readings = new Recent<{ readonly section: ReportedSection; readonly size: number }>(READINGS, {
    of: ({ size }) => size,
    max: MAX_READING_BYTES,
  })

  /**
   * What the devices of a product are judged by now, or what they were judged by at a time; undefined while no release of
   * it was ever in force. `version`: that of the product's releases, where it was read within the same transaction.
   */
  async of(
    store: Store,
    { productId, vendor }: Pick<Device, 'productId' | 'vendor'>,
    at: ReleaseTime,
    version?: number,
  ): Promise<KnownReleases | undefined> {
    version ??= await store.releases.versionOf(productId)
    if (version === 0) return undefined
    let known = this.#products.get(productId)
    if (known?.version !== version) {
      const releases = await store.releases.ofProduct(productId)
      known = this.#products.keep(productId, { version, releases, sets: new Recent(SETS) })
    }
    const set = 'now' in at ? presentReleases(known.releases, at.now) : releaseSet(known.releases, at.past)
    if (set.length === 0) return undefined
    const key = releaseSetKey(set)
    const held = known.sets.get(key)
    if (held !== undefined) return held
    const candidates: Candidate[] = []
    for (const { release, standing } of set) {
      const compiled = await this.#compile(store, vendor, release)
      // What cannot be read is compared with nothing; then nothing is good by it.
      if (compiled !== undefined) candidates.push({ release, standing, compiled })
    }
    const judged = new Recent<ReleaseJudgement>(JUDGEMENTS, {
      of: ({ deviations }) => deviations.length,
      max: MAX_DEVIATIONS,
    })
    return known.sets.keep(key, { key, candidates, judged })
  }

  async #compile(store: Store, vendor: string, release: Release): Promise<CompiledRelease | undefined> {
    const name = `${toHex(release.digest)} ${vendor}`
    const held = this.#compiled.get(name)
    if (held !== undefined) return held
    const compiled = await loadRelease(store, vendor, release)
    return compiled === undefined ? undefined : this.#compiled.keep(name, compiled)
  }

  /** Content as it was read before, as this section: a device may name the content of one section as another. */
  heldSection(vendor: string, id: string, digest: Uint8Array): ReportedSection | undefined {
    return this.#readings.get(readingName(vendor, id, digest))?.section
  }

  readSection(vendor: string, id: string, digest: Uint8Array, content: Uint8Array): ReportedSection {
    const section = { digest, reading: readingOf(id, content) }
    return this.#readings.keep(readingName(vendor, id, digest), { section, size: content.length }).section
  }
}

const readingName = (vendor: string, id: string, digest: Uint8Array): string =>
  JSON.stringify([toHex(digest), id, vendor])

function readingOf(id: string, content: Uint8Array): ReportedSection['reading'] {
  if (!isSectionId(id)) return { unreadable: 'section.malformed' }
  const reading = outcomeOf(() => decodeSection(id, content) as SectionReading)
  return reading instanceof OutcomeError ? { unreadable: reading.code } : reading
}

/** A release with the content that its document names; undefined where some of that is not here. */
export async function loadRelease(
  store: Store,
  vendor: string,
  release: Pick<Release, 'id'>,
): Promise<CompiledRelease | undefined> {
  const bytes = await store.releases.documentOf(release.id)
  return bytes === undefined ? undefined : loadDocument(store, vendor, decodeDocument(bytes))
}

/** As `loadRelease`, of a document that is stored nowhere yet. */
export async function loadDocument(
  store: Store,
  vendor: string,
  document: ReleaseDocument,
): Promise<CompiledRelease | undefined> {
  const readings = new Map<string, SectionReading>()
  for (const [id, section] of Object.entries(document.sections)) {
    if (section?.captured === undefined) continue
    const { digest } = section.captured
    const content = await store.sections.find(vendor, fromHex(digest))
    const reading = content === undefined ? undefined : readingOf(id, content)
    if (reading !== undefined && !('unreadable' in reading)) readings.set(digest, reading)
  }
  const events = document.boot?.events?.digest
  const rules = events === undefined ? undefined : await store.bootReferences.find(vendor, fromHex(events))
  return compileRelease(document, readings, rules === undefined ? null : (decodeBootReference(rules) ?? null))
}
