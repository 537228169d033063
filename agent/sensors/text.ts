import { fromUtf8, utf8 } from '../../shared/bytes/bytes.ts'
import { isDeceptive } from '../../shared/posture/text.ts'

/** Ends a text that was cut. No other text can hold it: a backslash of the input is itself written as `\x5c`. */
const CUT = '\\...'

const PLAIN = /^[ -[\]-~]*$/
const PLAIN_WORD = /^[!-[\]-~]*$/

const escapeByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`

/**
 * Makes a byte string (see Host) printable without losing which bytes it was: valid UTF-8 is shown as it is, control
 * and direction characters, backslashes, and whatever is not UTF-8 as `\xNN`. Cut at `maxLength` with a mark.
 */
export function printable(byteString: string, maxLength: number): string {
  return cut(byteString, maxLength, PLAIN, (character) => isHidden(character))
}

/** The same with blanks of any kind as `\xNN` too. */
export function printableWord(byteString: string, maxLength: number): string {
  return cut(byteString, maxLength, PLAIN_WORD, (character) => isHidden(character) || /\s/.test(character))
}

type Predicate = (character: string) => boolean

const isHidden: Predicate = (character) => character === '\\' || isDeceptive(character.codePointAt(0) ?? 0)

function cut(byteString: string, maxLength: number, plain: RegExp, hidden: Predicate): string {
  // What is not looked at cannot change what is shown: every byte gives at least a quarter of a character.
  const looked = byteString.length > maxLength * 4 ? byteString.slice(0, maxLength * 4 + 4) : byteString
  const shown = plain.test(looked) ? looked : escape(Buffer.from(looked, 'latin1'), hidden)
  if (shown.length <= maxLength) return shown
  return shown.slice(0, maxLength - CUT.length).replace(/[\ud800-\udbff]$/, '') + CUT
}

function escape(bytes: Uint8Array, hidden: Predicate): string {
  let text: string
  try {
    text = fromUtf8(bytes)
  } catch {
    // One character for each byte; those of ASCII are what they are in UTF-8.
    return Array.from(bytes, (byte) => {
      const character = String.fromCharCode(byte)
      return byte >= 0x80 || hidden(character) ? escapeByte(byte) : character
    }).join('')
  }
  let shown = ''
  for (const character of text) {
    shown += hidden(character) ? Array.from(utf8(character), escapeByte).join('') : character
  }
  return shown
}
