import * as v from 'valibot'
import { scopeText } from '../../advisories/rulings.ts'
import { isInForce, JUSTIFICATIONS, PRODUCT_VERDICTS, type ProductStatement } from '../../model/product-statement.ts'
import { id, Time, toTime, toTimeOrNull } from '../schemas.ts'

/** What was said of an advisory for devices of a product. */
export const StatementJson = v.strictObject({
  id: id('exc'),
  productId: id('prd'),
  advisory: v.string(),
  package: v.nullable(v.string()),
  verdict: v.picklist(PRODUCT_VERDICTS),
  justification: v.nullable(v.picklist(JUSTIFICATIONS)),
  /** Names; null: whichever they have. A device has to be all of them. */
  release: v.nullable(v.string()),
  configuration: v.nullable(v.string()),
  environment: v.nullable(v.strictObject({ name: v.string(), labels: v.record(v.string(), v.string()) })),
  /** The same in words; empty: all devices of the product. */
  scope: v.string(),
  reason: v.string(),
  createdAt: Time,
  createdBy: v.string(),
  expiresAt: Time,
  endedAt: v.nullable(Time),
  isOver: v.boolean(),
})

export const statementJson = (one: ProductStatement, now: number): v.InferOutput<typeof StatementJson> => ({
  id: one.id,
  productId: one.productId,
  advisory: one.advisory,
  package: one.package,
  verdict: one.verdict,
  justification: one.justification,
  release: one.release?.name ?? null,
  configuration: one.configuration?.name ?? null,
  environment: one.environment && { name: one.environment.name, labels: { ...one.environment.labels } },
  scope: scopeText(one),
  reason: one.reason,
  createdAt: toTime(one.createdAt),
  createdBy: one.createdByName,
  expiresAt: toTime(one.expiresAt),
  endedAt: toTimeOrNull(one.endedAt),
  isOver: !isInForce(one, now),
})

/** Beside what it is about: what counts for devices because of it. */
export const RulingJson = v.nullable(
  v.strictObject({
    id: id('exc'),
    verdict: v.picklist(PRODUCT_VERDICTS),
    scope: v.string(),
    reason: v.string(),
    until: Time,
  }),
)

export const rulingJson = (one: ProductStatement | null): v.InferOutput<typeof RulingJson> =>
  one && {
    id: one.id,
    verdict: one.verdict,
    scope: scopeText(one),
    reason: one.reason,
    until: toTime(one.expiresAt),
  }
