/** Tokens of CDDL (RFC 8610 appendix B), as far as ./parse.ts understands them. */

export type TokenKind = 'name' | 'integer' | 'text' | 'control' | 'tag' | 'occurrence' | 'sign'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly line: number
}

const PATTERNS: readonly [TokenKind | 'blank', RegExp][] = [
  ['blank', /[ \t\r\n]+|;[^\n]*/y],
  ['tag', /#6\.\d+(?=\()/y],
  ['control', /\.[a-z]+/y],
  ['sign', /=>|\.\.|[=/()[\]{}<>,:](?![/=])/y],
  ['occurrence', /\d*\*\d*|[+?]/y],
  ['integer', /-?\d+(?!\.\d|[\dA-Za-z])/y],
  ['text', /"[^"\\\n]*"/y],
  ['name', /[A-Za-z](?:[-.]*[A-Za-z0-9])*/y],
]

function next(text: string, at: number): readonly [TokenKind | 'blank', string] | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) return [kind, match[0]]
  }
  return undefined
}

/** Throws Error at the first character that begins no token: `//`, `/=`, `...`, sockets, escapes, floats and so on. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const line = text.slice(0, at).split('\n').length
    const found = next(text, at)
    if (found === undefined) throw new Error(`CDDL line ${line}: ${JSON.stringify(text.slice(at, at + 12))}`)
    const [kind, token] = found
    if (kind !== 'blank') tokens.push({ kind, text: token, line })
    at += token.length
  }
  return tokens
}
