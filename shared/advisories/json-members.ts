import { KeepsealError } from '../errors.ts'
import { malformed, parseJson } from './reading.ts'

export interface JsonMember {
  readonly name: string
  readonly value: unknown
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, COMMA, COLON] = [0x22, 0x5c, 0x7b, 0x7d, 0x2c, 0x3a]
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d]
const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/**
 * The members of one JSON object (RFC 8259 section 4), each when it is there: the whole is larger than what one wants in
 * memory. `pieces` are the text as it comes; one member has at most `most` characters. Two of one name are malformed.
 * Errors: advisory.malformed, advisory.too-large.
 */
export async function* jsonMembers(
  pieces: AsyncIterable<string> | Iterable<string>,
  most: number,
): AsyncGenerator<JsonMember> {
  const names = new Set<string>()
  let hasBegun = false
  let hasEnded = false
  let depth = 0
  let isText = false
  let isEscaped = false
  // What of the member that is being read came with earlier pieces.
  let held = ''
  for await (const piece of pieces) {
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const code = piece.charCodeAt(at)
      if (isText) {
        if (isEscaped) isEscaped = false
        else if (code === BACKSLASH) isEscaped = true
        else if (code === QUOTE) isText = false
        continue
      }
      if (!hasBegun || hasEnded) {
        if (isBlank(code)) continue
        if (hasEnded || code !== OPEN) throw malformed('', 'is no object, or goes on after its end')
        hasBegun = true
        from = at + 1
        continue
      }
      if (code === QUOTE) isText = true
      else if (code === OPEN || code === OPEN_LIST) depth += 1
      else if (depth > 0) {
        if (code === CLOSE || code === CLOSE_LIST) depth -= 1
      } else if (code === COMMA || code === CLOSE) {
        const text = held + piece.slice(from, at)
        held = ''
        from = at + 1
        hasEnded = code === CLOSE
        if (hasEnded && names.size === 0 && text.trim() === '') continue
        yield memberOf(text, names, most)
      } else if (code === CLOSE_LIST) throw malformed('', 'a list ends that did not begin')
    }
    if (hasBegun && !hasEnded) held += piece.slice(from)
    if (held.length > most) throw tooLarge(most)
  }
  if (!hasEnded) throw malformed('', 'is cut off')
}

const tooLarge = (most: number): KeepsealError =>
  new KeepsealError('advisory.too-large', `a member of more than ${most} characters`)

function memberOf(text: string, names: Set<string>, most: number): JsonMember {
  if (text.length > most) throw tooLarge(most)
  const colon = endOfName(text)
  const name = parseJson(text.slice(0, colon))
  if (typeof name !== 'string') throw malformed('', 'a member has no name')
  if (names.has(name)) throw malformed(name, 'is there twice')
  names.add(name)
  return { name, value: parseJson(text.slice(colon + 1), name) }
}

/** Where the colon after a name is. */
function endOfName(text: string): number {
  let isText = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isText && code === BACKSLASH) at += 1
    else if (code === QUOTE) isText = !isText
    else if (!isText && code === COLON) return at
  }
  throw malformed('', 'a member has no value')
}
