import * as v from 'valibot'
import { KeepsealError } from '../errors.ts'
import { MAX_COMPONENTS } from './component.ts'

/** What the parsers of both formats have in common. What is wrong is told with its place; unknown fields are let through. */

export const malformed = (place: string, problem: string): KeepsealError =>
  new KeepsealError('sbom.malformed', `${place === '' ? 'document' : place}: ${problem}`)

export const tooLarge = (what: string): KeepsealError => new KeepsealError('sbom.too-large', what)

export function checkedAs<S extends v.GenericSchema>(schema: S, value: unknown, place = ''): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  throw malformed([place, v.getDotPath(issue)].filter(Boolean).join('.'), issue.message)
}

/** One line, as it is shown and compared. */
export const line = (most: number) =>
  v.pipe(v.string(), v.minLength(1), v.maxLength(most), v.regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'one line of text'))

export const NAME = line(512)
export const VERSION = line(256)

/** Both formats have lists of what is checked item by item, so that a place can be told and a bound kept. */
export const items = v.optional(v.array(v.unknown()), [])

export function bounded<T>(list: readonly T[]): readonly T[] {
  if (list.length > MAX_COMPONENTS) throw tooLarge(`${list.length} components, at most ${MAX_COMPONENTS}`)
  return list
}

/** RFC 3339; null for what is none. */
export function timeOf(text: string | undefined): number | null {
  const at = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isSafeInteger(at) ? at : null
}
