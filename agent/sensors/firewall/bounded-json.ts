import type { Observation } from '../../../shared/posture/observation.ts'

const MAX_DEPTH = 64
const MAX_ITEMS = 500_000

/**
 * Parses JSON whose depth and number of values are bounded first: what is read out of it may then be walked by
 * recursion, and does not need many times the memory of its text.
 */
export function parseBoundedJson(text: string): Observation<unknown> {
  let depth = 0
  let items = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at)
        break
      case 0x5b:
      case 0x7b:
        depth += 1
        items += 1
        break
      case 0x5d:
      case 0x7d:
        depth -= 1
        break
      case 0x2c:
        items += 1
        break
      default:
    }
    if (depth > MAX_DEPTH || items > MAX_ITEMS) return { missing: 'too-large' }
  }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { missing: 'malformed' }
  }
}

/** Index of the quotation mark that ends the string, or of the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1
    if (backslashes % 2 === 0) return end
  }
  return text.length
}
