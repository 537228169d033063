import { toHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { decodeSection, encodeSection, type EncodedSection } from '../../shared/posture/canonical.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import type { Reading } from './sensor.ts'

export interface Sendable {
  readonly reading: Reading
  readonly encoded: EncodedSection
}

/** Of each section what was found to be right last: content that stays the same is not read again. */
const checked = new Map<SectionId, string>()

/** Nobody changes a content that was read: of one that is kept, such as an answer of the helper, the encoding is too. */
const encodings = new WeakMap<object, EncodedSection>()

/**
 * The section in its wire form, as a collector takes it. What none would take, for its size or its form, fails that one
 * section and says so: the rest of the posture is told all the same. Never throws.
 */
export function sendable(section: SectionId, reading: Reading): Sendable {
  const content = reading.status === 'measured' ? reading.content : undefined
  const known = content === undefined ? undefined : encodings.get(content)
  if (known !== undefined) return { reading, encoded: known }
  try {
    const encoded = encodeSection(section, reading as SectionReading, hash)
    const digest = toHex(encoded.digest)
    if (checked.get(section) !== digest) decodeSection(section, encoded.bytes)
    checked.set(section, digest)
    if (content !== undefined) encodings.set(content, encoded)
    return { reading, encoded }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const failed = { status: 'failed', code: isTooLarge(error) ? 'input-too-large' : 'sensor-fault', detail } as const
    return { reading: failed, encoded: encodeSection(section, failed, hash) }
  }
}

const TOO_LARGE: ReadonlySet<string> = new Set(['section.too-large', 'cbor.too-large', 'cbor.too-many-items'])

const isTooLarge = (error: unknown): boolean => error instanceof OutcomeError && TOO_LARGE.has(error.code)
