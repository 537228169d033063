/**
 * Where the first character that is not valid UTF-8 begins between `start` and `end`, or -1. The ranges are those
 * of RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
export function findInvalidUtf8(bytes: Uint8Array, start: number, end: number): number {
  let offset = start
  while (offset < end) {
    const lead = bytes[offset] as number
    if (lead < 0x80) {
      offset++
      continue
    }
    const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
    if (size === 0 || offset + size > end) return offset
    const second = bytes[offset + 1] as number
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < lowest || second > highest) return offset
    for (let i = 2; i < size; i++) if (((bytes[offset + i] as number) & 0xc0) !== 0x80) return offset
    offset += size
  }
  return -1
}
