/** One value of X.690 distinguished encoding. */
export interface DerValue {
  readonly tag: number
  /** A view on the input. */
  readonly content: Uint8Array
  /** Where the next value begins in the input. */
  readonly end: number
}

export const SEQUENCE = 0x30
export const SET = 0x31
export const OBJECT_IDENTIFIER = 0x06
const MULTI_BYTE_TAG = 0x1f

/**
 * Reads the value at `offset`; undefined if there is none, for a tag beyond one byte, an indefinite length, or a length
 * beyond the data. Reads no deeper: callers descend by calling it on the content.
 */
export function readDer(data: Uint8Array, offset = 0): DerValue | undefined {
  const tag = data[offset]
  const first = data[offset + 1]
  if (tag === undefined || first === undefined || (tag & MULTI_BYTE_TAG) === MULTI_BYTE_TAG) return undefined
  let length = first
  let start = offset + 2
  if (first >= 0x80) {
    const count = first & 0x7f
    // Four bytes bound a length well beyond any event. Zero of them would be the indefinite form.
    if (count < 1 || count > 4 || data.length < start + count) return undefined
    length = 0
    for (let i = 0; i < count; i++) length = length * 256 + (data[start + i] ?? 0)
    start += count
  }
  const end = start + length
  return end > data.length ? undefined : { tag, content: data.subarray(start, end), end }
}

/** The first values in `content`, at most `limit`; undefined if something among them is not a whole value. */
export function derValues(content: Uint8Array, limit = Infinity): readonly DerValue[] | undefined {
  const values: DerValue[] = []
  let offset = 0
  while (offset < content.length && values.length < limit) {
    const value = readDer(content, offset)
    if (value === undefined) return undefined
    values.push(value)
    offset = value.end
  }
  return values
}
