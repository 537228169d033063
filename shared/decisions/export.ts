import { fromBase64Url, toBase64Url } from '../bytes/bytes.ts'
import { KeepsealError } from '../errors.ts'

/** First line of an exported log: a text file, one entry a line in base64url, so that any tool can cut and compare it. */
const TITLE = 'keepseal decision log, version 1'
const MAX_ENTRIES = 1_000_000
const MAX_LINE = 100_000

export const exportLog = (entries: readonly Uint8Array[]): string =>
  [TITLE, ...entries.map((entry) => toBase64Url(entry)), ''].join('\n')

/** Throws KeepsealError `log.malformed`, which names the line. */
export function entriesOfExport(text: string): readonly Uint8Array[] {
  const lines = text.split('\n', MAX_ENTRIES + 2)
  if (lines[0] !== TITLE) throw new KeepsealError('log.malformed', `line 1: ${JSON.stringify(TITLE)} is wanted`)
  if (lines.at(-1) !== '') throw new KeepsealError('log.malformed', `line ${lines.length}: the file is cut`)
  return lines.slice(1, -1).map((line, index) => {
    if (line.length > MAX_LINE || !/^[\w-]+$/.test(line)) {
      throw new KeepsealError('log.malformed', `line ${index + 2}: base64url is wanted`)
    }
    return fromBase64Url(line)
  })
}
