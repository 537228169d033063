import * as v from 'valibot'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'

/** Something that is wrong in a file, and where. Null where a place cannot be named. */
export interface Mistake {
  readonly line: number | null
  readonly column: number | null
  readonly message: string
}

/** What is wrong with a value that the file says, by the keys that lead to it. */
export interface Objection {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export type ReadYaml<T> =
  { readonly value: T; readonly locate: (objection: Objection) => Mistake } | { readonly mistakes: readonly Mistake[] }

/** Repeated parts by anchors, within reason: a few lines can stand for gigabytes. */
const MAX_ALIASES = 100

/** Reads YAML (JSON is YAML too) by a schema: the value, or every mistake with its line and column. */
export function readYaml<T>(text: string, schema: v.GenericSchema<unknown, T>): ReadYaml<T> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number, message: string): Mistake => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col, message }
  }
  const broken = [...document.errors, ...document.warnings].map(({ pos: [offset], message }) => at(offset, message))
  if (broken.length > 0) return { mistakes: broken }
  let plain: unknown
  try {
    plain = document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    return { mistakes: [{ line: null, column: null, message: error instanceof Error ? error.message : 'unreadable' }] }
  }
  const checked = v.safeParse(schema, plain)
  if (checked.success) {
    return {
      value: checked.output,
      locate: ({ path, message }) => at(offsetOf(document, path, false), `${path.join('.')}: ${message}`),
    }
  }
  return {
    mistakes: checked.issues.map((issue) => {
      const path = (issue.path ?? []).map(({ key }) => key as string | number)
      return at(offsetOf(document, path, isUnknownKey(issue) || isKeyIssue(issue)), describe(issue))
    }),
  }
}

export const mistakeText = ({ line, column, message }: Mistake): string =>
  line === null ? message : `line ${line}, column ${column}: ${message}`

/** All mistakes in one sentence, within reason. */
export function mistakesText(mistakes: readonly Mistake[]): string {
  const told = mistakes.slice(0, 8).map(mistakeText).join('; ')
  return mistakes.length > 8 ? `${told}; and ${mistakes.length - 8} more` : told
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'the file'
  return isUnknownKey(issue) ? `${path} is not known here` : `${path}: ${issue.message}`
}

const isUnknownKey = ({ type, expected }: v.BaseIssue<unknown>): boolean =>
  type === 'strict_object' && expected === 'never'

/** The key of a record is wrong, not what it holds. */
const isKeyIssue = ({ path }: v.BaseIssue<unknown>): boolean => path?.at(-1)?.origin === 'key'

/** Where the value (or its key) that a path leads to begins, or the nearest thing around it that is written down. */
function offsetOf({ contents }: Document, path: readonly (string | number)[], isKey: boolean): number {
  let node: unknown = contents
  let offset = isNode(contents) ? (contents.range?.[0] ?? 0) : 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair === undefined) return offset
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(key)]
      if (isNode(node)) offset = node.range?.[0] ?? offset
    } else return offset
  }
  if (isScalar(node) && !isKey) return node.range?.[0] ?? offset
  return offset
}
