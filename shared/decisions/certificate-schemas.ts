import * as v from 'valibot'
import { PUBLIC_CONFORMITY } from './certificate.ts'
import { digest, longText, seconds, shortText } from './kind.ts'
import { lineSchema, productsSchema } from './products.ts'

/** What each decision about a certificate says. */

const someProductsSchema = v.pipe(
  v.array(shortText),
  v.minLength(1),
  v.maxLength(256),
  v.check((products) => new Set(products).size === products.length, 'a product is named twice'),
)

export const draftSchema = v.pipe(
  v.strictObject({
    number: shortText,
    products: productsSchema,
    line: v.nullable(lineSchema),
    profile: v.strictObject({ id: shortText, version: v.number(), digest }),
    agreement: v.strictObject({
      publicConformity: v.picklist(PUBLIC_CONFORMITY),
      claimsWhileSuspended: v.boolean(),
      closingShare: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
      nonconformingAfterDays: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366))),
    }),
    validFrom: seconds,
    validUntil: seconds,
    supportUntil: seconds,
    /** The certificate that this one replaces once it is issued: a renewal, a new scope, a reduction. */
    supersedes: v.nullable(shortText),
    /** A reduction has no more than it reduces, and needs no new assessment of what is left. */
    isReduction: v.boolean(),
  }),
  v.check(({ validFrom, validUntil }) => validFrom < validUntil, 'it ends before it begins'),
  v.check(
    ({ products, line }) => products.length === 1 || line !== null,
    'several products are no line without its basis',
  ),
  v.check(({ isReduction, supersedes }) => !isReduction || supersedes !== null, 'a reduction of nothing'),
)
export type DraftDetail = v.InferOutput<typeof draftSchema>

export const reasonSchema = v.strictObject({ reason: longText })
export const periodSchema = v.strictObject({ reason: longText, until: seconds })
export const suspendSchema = v.strictObject({
  reason: longText,
  until: seconds,
  products: v.nullable(someProductsSchema),
})
