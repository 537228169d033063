import * as v from 'valibot'

/**
 * Characters that let a name look like another one, or that break a line, a terminal or a log: controls, soft hyphen,
 * direction marks and overrides, zero-width and tag characters. A fixed list: Unicode categories change between
 * versions, and agent and collector must agree for ever.
 */
const DECEPTIVE: readonly (readonly [number, number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe007f],
]

/** Whether a character may not stand in a section as it is. The agent writes such characters as `\xNN`. */
export function isDeceptive(codePoint: number): boolean {
  return DECEPTIVE.some(([first, last]) => codePoint >= first && codePoint <= last)
}

function isPlain(text: string): boolean {
  for (const character of text) if (isDeceptive(character.codePointAt(0) ?? 0)) return false
  return true
}

/** A text of at most `maxLength` UTF-16 units that is safe to show. */
export const text = (maxLength: number) =>
  v.pipe(v.string(), v.maxLength(maxLength), v.check(isPlain, 'holds a control or direction character'))

/** A count of things. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** SHA-256 of what is too long for a section, in hexadecimal. */
export const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
