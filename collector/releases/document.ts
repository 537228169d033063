import * as v from 'valibot'
import { decodeCbor, encodeCbor } from '../../shared/cbor/codec.ts'
import type { CborLimits } from '../../shared/cbor/scan.ts'
import type { CborMap, CborValue } from '../../shared/cbor/value.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import { WrittenBootReference } from '../../shared/eventlog/reference/encoding.ts'
import {
  FAILURE_CODES,
  NO_PERMISSION_REASONS,
  NOT_SUPPORTED_REASONS,
  type SectionReading,
} from '../../shared/posture/reading.ts'
import { SECTION_IDS, SECTIONS, type SectionId } from '../../shared/posture/sections.ts'
import { printableName } from './names.ts'
import { ruleEntries, type SectionRules } from './rule-schema.ts'

/**
 * A release as it is written down: in a file (`ReleaseFile`) with the content of its sections, and in the store
 * (`ReleaseDocument`) with the digests of them. Both say the same.
 */

const hex = (size: number) =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${size * 2}}$`), `${size * 2} lower-case hexadecimal digits`))
const Digest = v.strictObject({ digest: hex(32) })
const pcr = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(23))

const PcrValue = v.variant('bank', [
  v.strictObject({ bank: v.literal('sha256'), pcr, values: v.pipe(v.array(hex(32)), v.minLength(1), v.maxLength(64)) }),
  v.strictObject({ bank: v.literal('sha384'), pcr, values: v.pipe(v.array(hex(48)), v.minLength(1), v.maxLength(64)) }),
])

const NamedEvent = v.strictObject({
  /** As `keepseal device boot` names it. */
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  bank: v.picklist(['sha256', 'sha384']),
  digests: v.pipe(
    v.array(v.pipe(v.string(), v.regex(/^([0-9a-f]{64}|[0-9a-f]{96})$/))),
    v.minLength(1),
    v.maxLength(64),
  ),
})

const bootEntries = {
  /** Values that a quote may have: any one of those that are given. */
  pcrs: v.pipe(v.array(PcrValue), v.maxLength(48)),
  /** Events that a proven boot log has to have, with one of these digests. */
  namedEvents: v.optional(v.pipe(v.array(NamedEvent), v.maxLength(256)), []),
  /** Versions of the TPM's firmware; none: whichever. */
  tpmFirmware: v.optional(v.pipe(v.array(hex(8)), v.maxLength(64)), []),
  /** Quoted PCRs of which this release says nothing, on purpose. */
  notJudged: v.optional(v.pipe(v.array(pcr), v.maxLength(24)), []),
}
const FileBoot = v.strictObject({ ...bootEntries, events: v.optional(v.union([WrittenBootReference, Digest])) })
const DocumentBoot = v.strictObject({ ...bootEntries, events: v.optional(Digest) })
export type BootExpectation = v.InferOutput<typeof DocumentBoot>

const saysSomething = (section: object): boolean => Object.values(section).some((value) => value !== undefined)
const SAYS_NOTHING = 'says nothing: give captured content, or rules'

/** `known`: content that the collector has from a device. */
const captured = (id: SectionId) =>
  v.variant('status', [
    v.strictObject({ status: v.literal('known'), digest: hex(32) }),
    v.strictObject({ status: v.literal('measured'), content: SECTIONS[id].schema as v.GenericSchema }),
    v.strictObject({ status: v.literal('not-supported'), reason: v.picklist(NOT_SUPPORTED_REASONS) }),
    v.strictObject({ status: v.literal('no-permission'), reason: v.picklist(NO_PERMISSION_REASONS) }),
    v.strictObject({ status: v.literal('failed'), code: v.picklist(FAILURE_CODES) }),
  ])

/** The rules are those of rule-schema.ts: what a section's own schema lets through is of these types. */
const fileSection = (id: SectionId) =>
  v.pipe(
    v.strictObject({ captured: v.optional(captured(id)), ...ruleEntries(id) }),
    v.check(saysSomething, SAYS_NOTHING),
  ) as unknown as v.GenericSchema<unknown, FileSection>
const documentSection = (id: SectionId) =>
  v.strictObject({ captured: v.optional(Digest), ...ruleEntries(id) }) as unknown as v.GenericSchema<
    unknown,
    SectionExpectation
  >

export interface SectionExpectation extends SectionRules {
  readonly captured?: { readonly digest: string } | undefined
}

const about = {
  version: v.literal(1),
  product: v.strictObject({ vendor: printableName, model: printableName }),
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.+~_-]{0,63}$/, 'a name of letters, digits and . + ~ _ -')),
}
const entriesOf = <S>(make: (id: SectionId) => S) =>
  Object.fromEntries(SECTION_IDS.map((id) => [id, make(id)])) as Record<SectionId, S>

export const ReleaseFile = v.strictObject({
  ...about,
  sections: v.strictObject(entriesOf((id) => v.optional(fileSection(id)))),
  boot: v.optional(FileBoot),
})
export interface ReleaseFile extends Omit<v.InferOutput<typeof ReleaseFile>, 'sections'> {
  readonly sections: { readonly [S in SectionId]?: FileSection | undefined }
}
export interface FileSection extends SectionRules {
  readonly captured?: CapturedSection | undefined
}
export type CapturedSection = SectionReading | { readonly status: 'known'; readonly digest: string }

export const ReleaseDocument = v.strictObject({
  ...about,
  sections: v.strictObject(entriesOf((id) => v.optional(documentSection(id)))),
  boot: v.optional(DocumentBoot),
})
export interface ReleaseDocument extends Omit<v.InferOutput<typeof ReleaseDocument>, 'sections'> {
  readonly sections: { readonly [S in SectionId]?: SectionExpectation | undefined }
}

/** One encoding for equal documents: RFC 8949 section 4.2.1, sets in one order, nothing that is absent. */
export const encodeDocument = (document: ReleaseDocument): Uint8Array => encodeCbor(toCbor(canonical(document)))

export const digestOfDocument = (document: ReleaseDocument): Uint8Array =>
  new Uint8Array(sha256(encodeDocument(document)))

/** Rules for statements are an order of precedence; every other list is a set. */
function canonical(document: ReleaseDocument): ReleaseDocument {
  const { boot, sections } = document
  const sorted = Object.entries(sections).map(([id, section]) => [id, section && canonicalSection(section)])
  return {
    ...document,
    sections: Object.fromEntries(sorted) as ReleaseDocument['sections'],
    ...(boot === undefined ? {} : { boot: canonicalBoot(boot) }),
  }
}

function canonicalSection(section: SectionExpectation): SectionExpectation {
  const { listeners, packages, updateSources } = section
  return {
    ...section,
    ...(listeners === undefined ? {} : { listeners: { allow: asSet(listeners.allow) } }),
    ...(packages === undefined
      ? {}
      : {
          packages: {
            ...packages,
            exact: asSet(packages.exact),
            minimum: asSet(packages.minimum),
            forbidden: asSet(packages.forbidden),
          },
        }),
    ...(updateSources === undefined
      ? {}
      : { updateSources: { allow: asSet(updateSources.allow), keys: asSet(updateSources.keys) } }),
  }
}

const canonicalBoot = (boot: BootExpectation): BootExpectation => ({
  ...boot,
  pcrs: asSet(boot.pcrs.map((each) => ({ ...each, values: asSet(each.values) }))),
  namedEvents: asSet(boot.namedEvents.map((each) => ({ ...each, digests: asSet(each.digests) }))),
  tpmFirmware: asSet(boot.tpmFirmware),
  notJudged: [...new Set(boot.notJudged)].sort((a, b) => a - b),
})

function asSet<T>(items: readonly T[]): T[] {
  const byText = new Map(items.map((item) => [JSON.stringify(toPlain(item)), item]))
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

/** With the keys in one order, whatever order a person wrote them in. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, toPlain(field)]))
}

function toCbor(value: unknown): CborValue {
  if (Array.isArray(value)) return value.map(toCbor)
  if (typeof value !== 'object' || value === null) return value as CborValue
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  return new Map(entries.map(([key, field]) => [key, toCbor(field)]))
}

/** Of a release as a file. */
export const MAX_RELEASE_BYTES = 8 * 1024 * 1024

const LIMITS: CborLimits = { maxBytes: MAX_RELEASE_BYTES, maxDepth: 12, maxItems: 200_000 }

/** A document that `encodeDocument` has written; anything else is a fault of the store. */
export function decodeDocument(bytes: Uint8Array): ReleaseDocument {
  return v.parse(ReleaseDocument, fromCbor(decodeCbor(bytes, LIMITS)))
}

function fromCbor(value: CborValue): unknown {
  if (Array.isArray(value)) return value.map(fromCbor)
  if (!(value instanceof Map)) return value
  return Object.fromEntries([...(value as CborMap)].map(([key, field]) => [String(key), fromCbor(field)]))
}
