import * as v from 'valibot'
import { PUBLIC_CONFORMITY } from '../../../../shared/decisions/certificate.ts'
import type { Json } from '../../../../shared/decisions/json-cbor.ts'
import { lineSchema, productsSchema } from '../../../../shared/decisions/products.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { mistakesText, readYaml } from '../../../text/yaml.ts'

/** A day, which is its beginning in UTC, or a moment. */
const time = v.pipe(
  v.string(),
  v.regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/,
    'a time in UTC is wanted, as 2028-12-31 or 2028-12-31T12:00Z',
  ),
  v.check((text) => !Number.isNaN(Date.parse(text)), 'no such day'),
  v.transform((text) => Math.floor(Date.parse(text) / 1000)),
)
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

/** A certificate as a certifier writes it down before it is drafted: docs/certificates.md has an example. */
const DraftFile = v.strictObject({
  number: text,
  products: productsSchema,
  line: v.optional(v.nullable(lineSchema), null),
  profile: v.strictObject({
    id: text,
    version: v.pipe(v.number(), v.integer(), v.minValue(1)),
    digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest in hexadecimal is wanted')),
  }),
  agreement: v.strictObject({
    publicConformity: v.optional(v.picklist(PUBLIC_CONFORMITY), 'none'),
    claimsWhileSuspended: v.optional(v.boolean(), false),
    closingShare: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 95),
    nonconformingAfterDays: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366))),
  }),
  validFrom: time,
  validUntil: time,
  supportUntil: time,
})

/** What `certificate.draft` says. Error: certificate.file-invalid, with line and column of each mistake. */
export function readDraft(content: string): { readonly [key: string]: Json } {
  const read = readYaml(content, DraftFile)
  if ('value' in read) return { ...read.value, supersedes: null, isReduction: false } as { [key: string]: Json }
  throw new KeepsealError('certificate.file-invalid', `the draft: ${mistakesText(read.mistakes)}`, {
    remedy: 'Correct the places named; docs/certificates.md has an example.',
  })
}
