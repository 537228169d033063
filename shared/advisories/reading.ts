import * as v from 'valibot'
import { KeepsealError } from '../errors.ts'

/**
 * What all parsers of advisories have in common. Documents come from outside: everything is bounded, and what is wrong is
 * told with its place. Fields that a format has beside those that are read are let through: formats grow.
 */

export const malformed = (place: string, problem: string): KeepsealError =>
  new KeepsealError('advisory.malformed', `${place === '' ? 'document' : place}: ${problem}`)

/** Error: advisory.malformed, with the place. */
export function checkedAs<S extends v.GenericSchema>(schema: S, value: unknown, place = ''): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const path = v.getDotPath(issue)
  throw malformed([place, path].filter(Boolean).join('.'), issue.message)
}

export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024

/** Error: advisory.malformed, advisory.too-large. */
export function parseJson(text: string, place = ''): unknown {
  if (text.length > MAX_DOCUMENT_BYTES) throw new KeepsealError('advisory.too-large', `${text.length} characters`)
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw malformed(place, error instanceof Error ? error.message : 'no JSON')
  }
}

/** One word of at most 256 characters: it becomes part of lines, tables and addresses. */
export const identifier = v.pipe(
  v.string(),
  v.regex(/^[\p{L}\p{N}][^\s\p{Cc}\p{Cf}]{0,255}$/u, 'a name without blanks, of at most 256 characters'),
)
export const componentName = v.pipe(
  v.string(),
  v.regex(/^[\p{L}\p{N}@._][^\s\p{Cc}\p{Cf}]{0,255}$/u, 'the name of a package'),
)
export const versionText = v.pipe(v.string(), v.minLength(1), v.maxLength(512))
export const shortText = (length: number) => v.pipe(v.string(), v.maxLength(length))

/** RFC 3339, with any offset; ms since 1970. */
export const instant = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/, 'a time of RFC 3339'),
  v.transform((text) => Date.parse(text)),
  v.check((ms) => Number.isSafeInteger(ms), 'a time that exists'),
)

/** A day, as ms since 1970. */
export const day = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}$/, 'a day as 2026-12-01'),
  v.transform((text) => Date.parse(`${text}T00:00:00Z`)),
  v.check((ms) => Number.isSafeInteger(ms), 'a day that exists'),
)

export const listOf = <const S extends v.GenericSchema>(item: S, most: number) =>
  v.pipe(v.array(item), v.maxLength(most, `at most ${most} entries`))

/** Absent or null: empty. Publishers use both. */
export const optionalList = <const S extends v.GenericSchema>(item: S, most: number) =>
  v.nullish(listOf(item, most), [])

/** The first line of a text, cut to what fits. */
export function summaryOf(...texts: readonly (string | null | undefined)[]): string {
  const text = texts.find((each) => each !== undefined && each !== null && each.trim() !== '') ?? ''
  const line = text.trim().split(/[\r\n]/, 1)[0] ?? ''
  const plain = line.replace(/[\p{Cc}\p{Cf}]/gu, ' ')
  return plain.length <= 300 ? plain : `${plain.slice(0, 299)}…`
}
