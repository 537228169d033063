import { fromHex, toHex, utf8 } from '../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { encodeBootReference } from '../../shared/eventlog/reference/encoding.ts'
import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import { encodeSection } from '../../shared/posture/canonical.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import type { ReleaseDocument, ReleaseFile } from './document.ts'

/** A release as it is stored: the document, and the content that it names, apart. */
export interface SplitRelease {
  readonly document: ReleaseDocument
  /** Encoded sections by digest in hexadecimal. */
  readonly contents: ReadonlyMap<string, Uint8Array>
  readonly bootReference: { readonly digest: string; readonly rules: string } | null
}

type Sections = ReleaseFile['sections']
const entriesOf = (sections: Sections) => Object.entries(sections) as [SectionId, Sections[SectionId]][]

/** Takes a file apart. Equal files give equal documents, however they are written. */
export function splitFile({ boot, sections, ...about }: ReleaseFile): SplitRelease {
  const contents = new Map<string, Uint8Array>()
  const stored: { -readonly [S in SectionId]?: ReleaseDocument['sections'][S] } = {}
  for (const [id, section] of entriesOf(sections)) {
    if (section === undefined) continue
    const { captured, ...rules } = section
    if (captured === undefined) stored[id] = rules
    else if (captured.status === 'known') stored[id] = { ...rules, captured: { digest: captured.digest } }
    else {
      const { bytes, digest } = encodeSection(id, captured as never, hash)
      contents.set(toHex(digest), bytes)
      stored[id] = { ...rules, captured: { digest: toHex(digest) } }
    }
  }
  if (boot === undefined) return { document: { ...about, sections: stored }, contents, bootReference: null }
  const { events, ...values } = boot
  if (events === undefined || 'digest' in events) {
    const named = events === undefined ? values : { ...values, events }
    return { document: { ...about, sections: stored, boot: named }, contents, bootReference: null }
  }
  const rules = encodeBootReference(events)
  const digest = toHex(sha256(utf8(rules)))
  const document = { ...about, sections: stored, boot: { ...values, events: { digest } } }
  return { document, contents, bootReference: { digest, rules } }
}

/** The reverse: everything that the document names is written into the file. */
export function joinFile(
  { boot, sections, ...about }: ReleaseDocument,
  readings: ReadonlyMap<string, SectionReading>,
  reference: BootReference | null,
): ReleaseFile {
  const written: { -readonly [S in SectionId]?: ReleaseFile['sections'][S] } = {}
  for (const [id, section] of Object.entries(sections) as [SectionId, ReleaseDocument['sections'][SectionId]][]) {
    if (section === undefined) continue
    const { captured, ...rules } = section
    const reading = captured === undefined ? undefined : readings.get(captured.digest)
    if (captured !== undefined && reading === undefined) {
      throw new KeepsealError('release.content-unknown', `section ${id}`)
    }
    written[id] = reading === undefined ? rules : { captured: reading, ...rules }
  }
  if (boot === undefined) return { ...about, sections: written }
  const { events, ...values } = boot
  const embedded =
    events === undefined || reference === null ? {} : { events: { version: 1 as const, ...unlocked(reference) } }
  return { ...about, sections: written, boot: { ...values, ...embedded } }
}

/** Of the same form as the schema gives it, whose lists can be written to. */
const unlocked = (reference: BootReference) =>
  JSON.parse(JSON.stringify(reference)) as Omit<
    Extract<NonNullable<NonNullable<ReleaseFile['boot']>['events']>, { bank: string }>,
    'version'
  >

/** Digests (hexadecimal) of the content that a document names. */
export const contentsNamedBy = ({ sections }: ReleaseDocument): readonly { id: SectionId; digest: Uint8Array }[] =>
  (Object.entries(sections) as [SectionId, ReleaseDocument['sections'][SectionId]][]).flatMap(([id, section]) =>
    section?.captured === undefined ? [] : [{ id, digest: fromHex(section.captured.digest) }],
  )
