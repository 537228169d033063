import { toHex, utf8 } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import { printable } from '../sensors/text.ts'

/** Text of the agent's own surroundings as a section may hold it. What is too long is told by its digest, never cut. */
export function shown(text: string, maxLength: number): string {
  const byteString = Buffer.from(text, 'utf8').toString('latin1')
  if (byteString.length <= maxLength) {
    const plain = printable(byteString, 4 * maxLength)
    if (plain.length <= maxLength) return plain
  }
  return `sha256 ${toHex(sha256(utf8(text)))}`
}
