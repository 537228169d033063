import * as v from 'valibot'
import { MAX_MONTHS } from '../../maturity/catalogue/schema.ts'
import { PRACTICE_IDS } from '../../maturity/practices.ts'
import { name, slug } from '../../maturity/text.ts'
import { DAY, digest, longText, seconds, shortText } from '../kind.ts'

/** How long before its end people are told, and how long after it the document still counts. */
export const EXPIRING_SECONDS = 30 * DAY
export const GRACE_SECONDS = 14 * DAY
/** A month of the catalogue at its longest. */
export const MAX_VALIDITY_SECONDS = MAX_MONTHS * 31 * DAY

const practices = v.pipe(
  v.array(v.picklist(PRACTICE_IDS)),
  v.minLength(1),
  v.check((all) => new Set(all).size === all.length, 'a practice is named twice'),
)

/** VENDOR/MODEL. */
export const productNameText = v.pipe(shortText, v.regex(/^[^/]+\/.+$/, 'VENDOR/MODEL is wanted'))
export const productNames = v.pipe(v.array(productNameText), v.minLength(1), v.maxLength(256))

export const submitSchema = v.pipe(
  v.strictObject({
    /** Of the catalogue. */
    kind: slug,
    practices,
    /** What exactly it is evidence of. */
    criterion: longText,
    /** What the person who signs states. */
    statement: longText,
    /** The document itself stays where it is: this says which it was. */
    file: v.strictObject({ name, sha256: digest }),
    /** In which capacity he signs: head of development, data protection officer. */
    capacity: shortText,
    /** VENDOR/MODEL of each product that it is about. */
    products: productNames,
    issued: seconds,
    validUntil: seconds,
    /** The document that this one replaces once it is accepted. */
    supersedes: v.nullable(shortText),
  }),
  v.check(({ issued, validUntil }) => issued < validUntil, 'it ends before it begins'),
)

/** Where a document stands by what was decided. Whether it has expired everybody computes from its dates. */
export type DocumentState = 'submitted' | 'accepted' | 'rejected' | 'superseded' | 'ended'

/** Something that no sensor sees, stated and signed by a person, and accepted by another. */
export interface AttestedDocument extends v.InferOutput<typeof submitSchema> {
  readonly id: string
  readonly state: DocumentState
  readonly submittedBy: string
  /** Seconds since 1970. */
  readonly submittedAt: number
  readonly acceptedBy: string | null
  /** Why it is in its state, as the last decision says. */
  readonly reason: string
  /** When it ended before its time; null while it did not. */
  readonly endedAt: number | null
}
