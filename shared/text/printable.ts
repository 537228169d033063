/**
 * Text from a device, a file or a server may hold terminal escapes, line breaks that fake further output, or
 * characters that turn the reading direction around. Nothing of it reaches a terminal without passing through here.
 */

/** Unicode categories Cc, Cf, Cs, Co, Cn (controls, invisible formats, surrogates, private, unassigned), Zl, Zp. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** The text on one line, with every character that does not simply print written as `\u{hex}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** True if `printable` would change nothing. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0
}

/** JSON over several lines (on one, with an `indent` of 0) as safe to print as `printable` makes text, and the same JSON. */
export function printableJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(/[^\n\P{C}]|[\u2028\u2029]/gu, (character) =>
    Array.from({ length: character.length }, (_, unit) => `\\u${hexOfUnit(character, unit)}`).join(''),
  )
}

function hexOfUnit(character: string, unit: number): string {
  return character.charCodeAt(unit).toString(16).padStart(4, '0')
}

/** East Asian wide and emoji blocks (Unicode Standard Annex 11, classes W and F), which take two terminal cells. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** How many terminal cells printable text takes. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** The text cut to at most `width` cells, its last one `…` if anything was cut. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let cut = ''
  let used = 0
  for (const character of text) {
    used += displayWidth(character)
    if (used > width - 1) break
    cut += character
  }
  return width < 1 ? '' : `${cut}…`
}
