const BEGIN = '-----BEGIN PGP PUBLIC KEY BLOCK-----'
const END = '-----END PGP PUBLIC KEY BLOCK-----'

/**
 * The binary content of every public key block in `text` (RFC 9580 section 6.2). Text around the blocks is allowed,
 * as in files that people keep notes in. The optional checksum is not looked at: it protects against nothing here.
 * Returns undefined if there is no block, or one is not closed or not base64.
 */
export function unarmour(text: string): Uint8Array[] | undefined {
  const blocks: Uint8Array[] = []
  let begin = text.indexOf(BEGIN)
  while (begin >= 0) {
    const end = text.indexOf(END, begin)
    if (end < 0) return undefined
    const block = decodeBody(text.slice(begin + BEGIN.length, end).split('\n'))
    if (block === undefined) return undefined
    blocks.push(block)
    begin = text.indexOf(BEGIN, end)
  }
  return blocks.length === 0 ? undefined : blocks
}

function decodeBody(lines: readonly string[]): Uint8Array | undefined {
  const trimmed = lines.map((line) => line.trim())
  // The rest of the BEGIN line, then headers such as `Comment: …` up to an empty line.
  let first = 1
  while ((trimmed[first] ?? '').includes(': ')) first += 1
  const body = trimmed.slice(first).filter((line) => line !== '' && !line.startsWith('='))
  const base64 = body.join('')
  const bytes = Buffer.from(base64, 'base64')
  // Buffer skips what is not base64; encoded again it would be another text then.
  return bytes.length > 0 && bytes.toString('base64') === base64 ? bytes : undefined
}
