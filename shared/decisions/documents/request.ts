import * as v from 'valibot'
import { PRACTICE_IDS } from '../../maturity/practices.ts'
import { slug } from '../../maturity/text.ts'
import { DAY, longText, seconds, shortText } from '../kind.ts'
import type { Register } from '../register.ts'
import { productNames, type AttestedDocument } from './document.ts'

/** How long before the day people are told. */
const SOON_SECONDS = 7 * DAY

export const requestSchema = v.strictObject({
  /** Of the catalogue. */
  kind: slug,
  practice: v.picklist(PRACTICE_IDS),
  products: productNames,
  /** Whom it is asked of: one person of the log, or whoever holds a function, in words. */
  from: v.union([v.strictObject({ person: shortText }), v.strictObject({ capacity: shortText })]),
  /** The first moment at which it is overdue. */
  until: seconds,
  reason: longText,
})

/** Somebody has asked for a document (practice model, R32). */
export interface DocumentRequest extends v.InferOutput<typeof requestSchema> {
  readonly id: string
  readonly askedBy: string
  /** Seconds since 1970. */
  readonly askedAt: number
  /** The accepted document, and when it was handed in. */
  readonly fulfilled: { readonly by: string; readonly at: number } | null
  readonly withdrawn: { readonly by: string; readonly at: number; readonly reason: string } | null
}

/** `handed-in`: it waits for who accepts it, and no longer for who was asked. */
export type RequestStanding = 'open' | 'due-soon' | 'overdue' | 'handed-in' | 'fulfilled' | 'withdrawn'

/** Whether a document is what was asked for: by kind, practice, every product and, where one is named, the person. */
export const answers = (
  { kind, practice, products, from, askedAt }: DocumentRequest,
  document: AttestedDocument,
): boolean =>
  document.kind === kind &&
  document.submittedAt >= askedAt &&
  document.practices.includes(practice) &&
  products.every((product) => document.products.includes(product)) &&
  (!('person' in from) || from.person === document.submittedBy)

/** `at`: seconds since 1970. */
export function standingOfRequest(
  request: DocumentRequest,
  { documents }: Pick<Register, 'documents'>,
  at: number,
): RequestStanding {
  if (request.withdrawn !== null) return 'withdrawn'
  if (request.fulfilled !== null) return 'fulfilled'
  const isHandedIn = [...documents.values()].some(
    (document) => document.state === 'submitted' && at < document.validUntil && answers(request, document),
  )
  if (isHandedIn) return 'handed-in'
  if (at >= request.until) return 'overdue'
  return at >= request.until - SOON_SECONDS ? 'due-soon' : 'open'
}
