import type { HostFile } from '../host.ts'

/** Microsoft's "PE Format": the headers of what EFI firmware loads. */
const HEAD_BYTES = 4096
const SIGNATURE_AT = 0x3c
const SIGNATURE = 'PE\0\0'
const COFF_BYTES = 24
const SECTION_BYTES = 40
const MAX_SECTIONS = 96

/** The content of the section of that name, cut to `maxBytes`: undefined if there is none, or this is no PE file. */
export function readPeSection(file: HostFile, name: string, maxBytes: number): Buffer | 'malformed' | undefined {
  const head = Buffer.alloc(HEAD_BYTES)
  const length = file.read(head, 0)
  if (length.status !== 'found' || length.value < SIGNATURE_AT + 4 || head.toString('latin1', 0, 2) !== 'MZ') {
    return 'malformed'
  }
  const coff = head.readUInt32LE(SIGNATURE_AT)
  if (coff + COFF_BYTES > length.value || head.toString('latin1', coff, coff + 4) !== SIGNATURE) return 'malformed'
  const count = head.readUInt16LE(coff + 6)
  const table = coff + COFF_BYTES + head.readUInt16LE(coff + 20)
  if (count > MAX_SECTIONS || table + count * SECTION_BYTES > length.value) return 'malformed'
  for (let at = table; at < table + count * SECTION_BYTES; at += SECTION_BYTES) {
    if (head.toString('latin1', at, at + 8).replace(/\0+$/, '') !== name) continue
    // Of the size in memory and the one in the file, which is padded, the smaller one is the content's.
    const size = Math.min(head.readUInt32LE(at + 8), head.readUInt32LE(at + 16), maxBytes)
    const content = Buffer.alloc(size)
    const read = file.read(content, head.readUInt32LE(at + 20))
    return read.status === 'found' && read.value === size ? content : 'malformed'
  }
  return undefined
}
