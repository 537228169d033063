/** Scalars by their path: `globals.public-key-file`, `identify.0.name`. All of them are byte strings. */
export interface LibconfigFile {
  readonly values: ReadonlyMap<string, string>
  readonly malformed: number
}

const MAX_DEPTH = 16
const MAX_VALUES = 8192

/** Comments, a string, punctuation, a plain word. A string may lack its end, which makes it malformed. */
const TOKEN = /#[^\n]*|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|"(?:[^"\\]|\\[^])*(?:"|$)|[{}()[\]=:;,]|[^\s{}()[\]=:;,"#]+/g

interface Scope {
  readonly path: string
  readonly close: string
  /** Position within a list or array; undefined in a group. */
  index: number | undefined
}

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' }

/**
 * The settings of a file in libconfig's grammar, flattened: groups, lists, arrays, adjacent strings as one, numbers
 * and booleans as they are written. `@include` is not followed, and counted as malformed.
 */
export function parseLibconfig(text: string): LibconfigFile {
  const values = new Map<string, string>()
  const scopes: Scope[] = [{ path: '', close: '', index: undefined }]
  let malformed = 0
  let name: string | undefined
  let isAssigned = false
  let value: string | undefined

  const scope = (): Scope => scopes.at(-1) as Scope
  const target = (): string | undefined => {
    const { path, index } = scope()
    if (index !== undefined) return `${path}.${index}`
    if (name === undefined || !isAssigned) return undefined
    return path === '' ? name : `${path}.${name}`
  }
  const finish = (): void => {
    const at = target()
    if (value !== undefined) {
      if (at === undefined || values.size >= MAX_VALUES) malformed += 1
      else values.set(at, value)
    } else if (name !== undefined) malformed += 1
    name = undefined
    isAssigned = false
    value = undefined
  }

  for (const [token] of text.matchAll(TOKEN)) {
    const first = token.charAt(0)
    if (first === '#' || token.startsWith('//')) continue
    if (token.startsWith('/*')) {
      if (!token.endsWith('*/') || token.length < 4) malformed += 1
    } else if (first === '{' || first === '(' || first === '[') {
      const path = target()
      if (path === undefined || value !== undefined || scopes.length >= MAX_DEPTH)
        return { values, malformed: malformed + 1 }
      scopes.push({ path, close: CLOSING[first] as string, index: first === '{' ? undefined : 0 })
      name = undefined
      isAssigned = false
    } else if (first === '}' || first === ')' || first === ']') {
      finish()
      if (scopes.length === 1 || scope().close !== first) return { values, malformed: malformed + 1 }
      scopes.pop()
    } else if (first === '=' || first === ':') {
      if (name === undefined || isAssigned) malformed += 1
      isAssigned = true
    } else if (first === ';' || first === ',') {
      finish()
      const { index } = scope()
      if (first === ',' && index !== undefined) scope().index = index + 1
    } else if (first === '"') {
      const string = unquote(token)
      if (string === undefined) malformed += 1
      else value = (value ?? '') + string
    } else if (scope().index === undefined && !isAssigned && name === undefined) name = token
    else if (value === undefined && (isAssigned || scope().index !== undefined)) value = token
    else {
      // The separator between two settings of a group may be left out.
      finish()
      name = token
    }
  }
  finish()
  return { values, malformed: malformed + scopes.length - 1 }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', a: '\x07', b: '\b' }

function unquote(token: string): string | undefined {
  if (token.length < 2 || !token.endsWith('"')) return undefined
  return token
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|([^]))/g, (_, hex: string | undefined, one: string | undefined) =>
      hex === undefined ? (ESCAPES[one ?? ''] ?? one ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
    )
}
