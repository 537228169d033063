import { fromHex } from '../../shared/bytes/bytes.ts'
import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import type { BootExpectation, ReleaseDocument, SectionExpectation } from './document.ts'
import type { SectionRules } from './rule-schema.ts'

/** What a release expects of one section, with the captured content at hand. */
export interface ExpectedSection {
  readonly captured: { readonly digest: Uint8Array; readonly reading: SectionReading } | null
  readonly rules: SectionRules
}

/** What a release expects of the measured boot. */
export interface ExpectedBoot extends Omit<BootExpectation, 'events'> {
  readonly reference: BootReference | null
}

/** A release that devices can be judged by. */
export interface CompiledRelease {
  readonly sections: ReadonlyMap<SectionId, ExpectedSection>
  readonly boot: ExpectedBoot | null
}

/**
 * Puts a document and the content that it names together. Undefined where some of that is not here: nothing can be
 * judged by such a release, and nothing is good by it.
 */
export function compileRelease(
  document: ReleaseDocument,
  readings: ReadonlyMap<string, SectionReading>,
  reference: BootReference | null,
): CompiledRelease | undefined {
  const sections = new Map<SectionId, ExpectedSection>()
  for (const [id, section] of Object.entries(document.sections) as [SectionId, SectionExpectation | undefined][]) {
    if (section === undefined) continue
    const { captured, ...rules } = section
    const reading = captured === undefined ? undefined : readings.get(captured.digest)
    if (captured !== undefined && reading === undefined) return undefined
    sections.set(id, {
      captured: captured === undefined || reading === undefined ? null : { digest: fromHex(captured.digest), reading },
      rules,
    })
  }
  const { boot } = document
  if (boot?.events !== undefined && reference === null) return undefined
  return { sections, boot: boot === undefined ? null : { ...boot, reference } }
}
