import * as v from 'valibot'
import { printableName } from '../releases/names.ts'
import { isUeid, type Ueid } from '../../shared/evidence/identifiers.ts'

/** What several resources are made of. Every schema is strict: a misspelt field is an error, not a default. */

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/

/** `Date.parse` takes 30 February for 2 March. */
function isRealDate(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19)
}

/** RFC 3339 in UTC. */
export const Time = v.pipe(
  v.string(),
  v.regex(RFC3339, 'RFC 3339 time with Z'),
  v.check(isRealDate, 'a date that exists'),
)
export const toTime = (ms: number): string => new Date(ms).toISOString()
export const toTimeOrNull = (ms: number | null): string | null => (ms === null ? null : toTime(ms))

const UEID = /^01[0-9a-f]{32}$/
export const UeidText = v.pipe(
  v.string(),
  v.regex(UEID, '34 lower-case hexadecimal digits'),
  v.custom<Ueid>((text) => typeof text === 'string' && isUeid(text)),
)

/** SHA-256 in hex. */
export const Digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits'))
export const HexBytes = v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/, 'lower-case hexadecimal digits'))

/** `{prefix}_` + UUID. */
export const id = (prefix: string) =>
  v.pipe(v.string(), v.regex(new RegExp(`^${prefix}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`), `an id ${prefix}_…`))

/** A name that people and logs will see: no control or invisible characters. */
export const Name = printableName

/** Why somebody does something, for others to read. */
export const Reason = v.pipe(Name, v.minLength(1), v.maxLength(1000))

export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 200

const Limit = v.optional(
  v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,4}$/, `a whole number from 1 to ${MAX_LIMIT}`),
    v.transform(Number),
    v.number(),
    v.integer(),
    v.minValue(1),
    v.maxValue(MAX_LIMIT),
  ),
  String(DEFAULT_LIMIT),
)

/** The query of every list. */
export const pageQuery = { limit: Limit, cursor: v.optional(v.pipe(v.string(), v.maxLength(64))) }

/** The answer of every list: `nextCursor` is the next page's `cursor`, null on the last one. */
export const pageOf = <const S extends v.GenericSchema>(item: S) =>
  v.strictObject({ items: v.array(item), nextCursor: v.nullable(v.string()) })

export const nothing = v.strictObject({})
