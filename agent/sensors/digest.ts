import { createHash } from 'node:crypto'
import { printable } from './text.ts'

/** SHA-256 of the UTF-8 form of a text, in hexadecimal. Different byte strings (see Host) are different texts too. */
export const digestOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/**
 * What a configuration file says: its lines without comments that stand alone, blank lines, and blanks around and
 * between words.
 */
export function significantLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** A byte string made printable; one that would have to be cut is told by its digest, so that its end counts as well. */
export function printableOrDigest(byteString: string, maxLength: number): string {
  const shown = printable(byteString, maxLength + 1)
  return shown.length <= maxLength ? shown : `SHA-256 ${digestOf(byteString)}`
}
