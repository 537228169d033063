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
  const made = writable(section, reading)
  try {
    const digest = toHex(made.encoded.digest)
    if (checked.get(section) !== digest) decodeSection(section, made.encoded.bytes)
    checked.set(section, digest)
  } catch (error) {
    return failed(section, error)
  }
  if (content !== undefined && made.reading === reading) encodings.set(content, made.encoded)
  return made
}

/** The same for whoever reads it again before it is sent. What has no wire form fails that one section. Never throws. */
export function writable(section: SectionId, reading: Reading): Sendable {
  try {
    return { reading, encoded: encodeSection(section, reading as SectionReading, hash) }
  } catch (error) {
    return failed(section, error)
  }
}

/** Content that was read in its wire form, and found to be right there, needs neither to be written nor checked again. */
export function alreadyEncoded(reading: SectionReading, bytes: Uint8Array): void {
  if (reading.status === 'measured') encodings.set(reading.content, { bytes, digest: hash('sha256', bytes) })
}

/** A section that nobody would take, for its size or its form. */
export function failed(section: SectionId, error: unknown) {
  const detail = error instanceof Error ? error.message : String(error)
  const code = isTooLarge(error) ? 'input-too-large' : 'sensor-fault'
  const reading = { status: 'failed', code, detail } as const
  return { reading, encoded: encodeSection(section, reading, hash) }
}

const TOO_LARGE: ReadonlySet<string> = new Set(['section.too-large', 'cbor.too-large', 'cbor.too-many-items'])

const isTooLarge = (error: unknown): boolean => error instanceof OutcomeError && TOO_LARGE.has(error.code)
