import { hash } from '../../../shared/crypto/node.ts'
import { postureDigestOf } from '../../../shared/evidence/posture-digest.ts'
import { encodeSection, type EncodedSection } from '../../../shared/posture/canonical.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import { SECTION_IDS, type SectionId } from '../../../shared/posture/sections.ts'
import { contentOf, type Content } from './content.ts'

/** What the sensors of a gateway read. Sections that are left out have nothing to measure there. */
export type Readings = { readonly [S in SectionId]?: SectionReading<S> }

/** A posture in the form in which it is claimed. Made once, and shared by all gateways that have it. */
export interface SimulatedPosture {
  readonly readings: Readings
  readonly sections: ReadonlyMap<SectionId, EncodedSection>
  readonly map: ReadonlyMap<string, Uint8Array>
  readonly digest: Uint8Array
  readonly contents: readonly Content[]
}

export function postureOf(readings: Readings): SimulatedPosture {
  const sections = new Map(SECTION_IDS.map((id) => [id, encoded(id, readings)] as const))
  const map = new Map([...sections].map(([id, { digest }]) => [id as string, new Uint8Array(digest)] as const))
  return {
    readings,
    sections,
    map,
    digest: postureDigestOf(map, hash),
    contents: [...sections.values()].map(({ bytes }) => contentOf(bytes)),
  }
}

function encoded<S extends SectionId>(id: S, readings: Readings): EncodedSection {
  const nothing: SectionReading<S> = { status: 'not-supported', reason: 'no-platform-facts' }
  const reading: SectionReading<S> | undefined = readings[id]
  return encodeSection(id, reading ?? nothing, hash)
}

type ContentOf<S extends SectionId> = Extract<SectionReading<S>, { status: 'measured' }>['content']

/** The readings with the content of one section changed. Throws where the section is not measured. */
export function withContent<S extends SectionId>(
  readings: Readings,
  id: S,
  change: (content: ContentOf<S>) => ContentOf<S>,
): Readings {
  const reading: SectionReading<S> | undefined = readings[id]
  if (reading?.status !== 'measured') throw new Error(`section ${id} is not measured`)
  return { ...readings, [id]: { status: 'measured', content: change(reading.content) } }
}
