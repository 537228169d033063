import { Lz4Error } from './error.ts'

/** Up to here a loop over bytes is quicker than a call, in an interpreter too. */
const SHORT = 6
const MIN_MATCH = 4

/**
 * Decodes one block in the LZ4 block format (https://github.com/lz4/lz4, doc/lz4_Block_format.md) within one array, so
 * that literals and matches are copied alike: from `source` to `sourceEnd`, which lies behind all that is written, to
 * `target`. Matches reach back to `windowStart`. Returns the end of what was written. Throws Lz4Error.
 *
 * The shipped agent interprets this: each look at a byte counts, and most of them are avoided.
 */
export function decodeLz4Block(
  arena: Uint8Array,
  source: number,
  sourceEnd: number,
  target: number,
  targetEnd: number,
  windowStart: number,
): number {
  let [from, to] = [source, target]
  for (;;) {
    if (from >= sourceEnd) throw new Lz4Error('a block ends within a sequence')
    const token = arena[from++] as number
    let length = token >> 4
    if (length === 15) {
      let byte: number
      do {
        if (from >= sourceEnd) throw new Lz4Error('a length without an end')
        byte = arena[from++] as number
        length += byte
      } while (byte === 255)
    }
    if (from + length > sourceEnd || to + length > targetEnd) throw new Lz4Error('literals beyond the block')
    if (length < SHORT) for (const end = to + length; to < end;) arena[to++] = arena[from++] as number
    else {
      arena.copyWithin(to, from, from + length)
      to += length
      from += length
    }
    // The last sequence has literals alone.
    if (from === sourceEnd) return to
    if (from + 2 > sourceEnd) throw new Lz4Error('a block ends within a sequence')
    const offset = (arena[from] as number) | ((arena[from + 1] as number) << 8)
    from += 2
    length = (token & 15) + MIN_MATCH
    if (length === 15 + MIN_MATCH) {
      let byte: number
      do {
        if (from >= sourceEnd) throw new Lz4Error('a length without an end')
        byte = arena[from++] as number
        length += byte
      } while (byte === 255)
    }
    if (offset === 0 || to - offset < windowStart) throw new Lz4Error('a match before the beginning')
    if (to + length > targetEnd) throw new Lz4Error('a match beyond the block')
    to = copyMatch(arena, to, offset, length)
  }
}

/** A match may overlap what it writes: then it repeats itself. */
function copyMatch(arena: Uint8Array, start: number, offset: number, length: number): number {
  const end = start + length
  const match = start - offset
  if (length < SHORT) for (let to = start, from = match; to < end;) arena[to++] = arena[from++] as number
  else if (offset >= length) arena.copyWithin(start, match, match + length)
  else
    for (let to = start; to < end; to += to - match) arena.copyWithin(to, match, match + Math.min(to - match, end - to))
  return end
}
