/**
 * Path patterns: `*` is any text without a slash, `**` any text, `?` one character other than a slash; everything else
 * is itself, and the whole path has to match. Matching takes at most pattern times path steps, for paths come from
 * devices.
 */
export type PathMatcher = (path: string) => boolean

type Token = 'any' | 'any-in-segment' | 'one-in-segment' | { readonly text: string }

export function pathMatcher(pattern: string): PathMatcher {
  const wildcard = pattern.search(/[*?]/)
  if (wildcard < 0) return (path) => path === pattern
  const literal = pattern.slice(0, wildcard)
  const tokens = tokensOf(pattern.slice(wildcard))
  return (path) => path.startsWith(literal) && matches(tokens, path.slice(literal.length))
}

const tokensOf = (pattern: string): readonly Token[] =>
  (pattern.match(/\*\*+|\*|\?|[^*?]/gu) ?? []).map((text): Token => {
    if (text === '?') return 'one-in-segment'
    if (text === '*') return 'any-in-segment'
    return text.startsWith('*') ? 'any' : { text }
  })

/** Steps through the path with the set of all positions in the pattern that it may have reached. */
function matches(tokens: readonly Token[], path: string): boolean {
  let reached = closed(new Set([0]), tokens)
  for (const character of path) {
    const next = new Set<number>()
    for (const position of reached) {
      const token = tokens[position]
      if (token === undefined) continue
      if (token === 'any' && position === tokens.length - 1) return true
      if (token === 'any' || (token === 'any-in-segment' && character !== '/')) next.add(position)
      else if (token === 'one-in-segment' ? character !== '/' : typeof token === 'object' && token.text === character) {
        next.add(position + 1)
      }
    }
    if (next.size === 0) return false
    reached = closed(next, tokens)
  }
  return reached.has(tokens.length)
}

/** Both stars also stand for no text at all. */
function closed(positions: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const position of positions) {
    const token = tokens[position]
    if (token === 'any' || token === 'any-in-segment') positions.add(position + 1)
  }
  return positions
}
