import type { ProfileDocument } from './profile.ts'

export interface Difference {
  readonly path: string
  /** null: not there. */
  readonly before: Plain | null
  readonly after: Plain | null
}

type Plain = string | number | boolean

/** What two profiles say differently, in the order of their places. Lists are sets: their order says nothing. */
export function differencesOf(before: ProfileDocument, after: ProfileDocument): readonly Difference[] {
  const [was, is] = [flat(before), flat(after)]
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort()
  return paths
    .filter((path) => was.get(path) !== is.get(path))
    .map((path) => ({ path, before: was.get(path) ?? null, after: is.get(path) ?? null }))
}

function flat(document: ProfileDocument): ReadonlyMap<string, Plain> {
  const found = new Map<string, Plain>()
  const walk = (value: unknown, path: string): void => {
    if (value === undefined || value === null) return
    if (Array.isArray(value)) {
      for (const item of value) walk(item, `${path}.${keyOf(item)}`)
    } else if (typeof value === 'object') {
      for (const [key, item] of Object.entries(value)) walk(item, path === '' ? key : `${path}.${key}`)
    } else found.set(path, value as Plain)
  }
  walk(document, '')
  return found
}

/** Of an item of a set. */
const keyOf = (item: unknown): string =>
  typeof item === 'object' && item !== null && 'id' in item ? String(item.id) : String(item)
