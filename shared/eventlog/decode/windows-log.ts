import { ByteRangeError, ByteReader } from '../../bytes/reader.ts'
import { utf16Text } from './text.ts'
import { AGGREGATION, WINDOWS_TAGS, WINDOWS_TEXTS } from './windows-tags.ts'

/** Real logs nest three deep, and a trust boundary holds some hundred loaded modules. */
const MAX_DEPTH = 4
const MAX_SHOWN = 24

/** What an event of the Windows Boot Configuration Log says. Undefined for a tag that is not one of Windows. */
export function describeWindowsTag(id: number, data: Uint8Array): string | undefined {
  const name = WINDOWS_TAGS.get(id)
  return name === undefined ? undefined : `${name}, by Windows${contentText(id, data, 0)}`
}

function contentText(id: number, data: Uint8Array, depth: number): string {
  if ((id & AGGREGATION) === 0) return valueText(id, data)
  const parts = depth < MAX_DEPTH ? taggedParts(data, depth) : undefined
  if (parts === undefined || parts.length === 0) return ` of ${data.length} bytes`
  return depth === 0 ? `: ${parts.join(', ')}` : ` (${parts.join(', ')})`
}

/** The events within an aggregation, side by side: tag, size, data. Undefined for data that is not exactly that. */
function taggedParts(data: Uint8Array, depth: number): readonly string[] | undefined {
  const reader = new ByteReader(data, 'little-endian')
  const parts: string[] = []
  let more = 0
  try {
    while (reader.remaining > 0) {
      const id = reader.u32()
      const part = reader.bytes(reader.u32())
      if (parts.length === MAX_SHOWN) more++
      else parts.push(`${WINDOWS_TAGS.get(id) ?? `tag 0x${id.toString(16)}`}${contentText(id, part, depth + 1)}`)
    }
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
  return more === 0 ? parts : [...parts, `${more} more`]
}

function valueText(id: number, data: Uint8Array): string {
  if (WINDOWS_TEXTS.has(id)) {
    const text = utf16Text(data)
    if (text !== undefined) return ` ${text}`
  }
  const reader = new ByteReader(data, 'little-endian')
  switch (data.length) {
    case 0:
      return ''
    case 1:
      return ` ${reader.u8()}`
    case 4:
      return ` ${reader.u32()}`
    case 8:
      return ` ${reader.u64()}`
    default:
      return ` of ${data.length} bytes`
  }
}
