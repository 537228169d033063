const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf16Decoder = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true })

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are what tells binary data from text
const BINARY = /[\x00-\x08\x0e-\x1f]/

/** By steps: an expression for zeros at the end would begin anew at each zero of a text that does not end with them. */
export function withoutTrailingZeros(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--
  return text.slice(0, end)
}

function cleanText(text: string | undefined): string | undefined {
  const clean = text === undefined ? undefined : withoutTrailingZeros(text)
  return clean === undefined || clean === '' || BINARY.test(clean) ? undefined : clean
}

/** UCS-2 text as UEFI writes it, without trailing zeros. Undefined if it is not text. A last odd zero byte is let by. */
export function utf16Text(data: Uint8Array): string | undefined {
  const odd = data.length % 2
  if (odd === 1 && data[data.length - 1] !== 0) return undefined
  return cleanText(decode(utf16Decoder, data.subarray(0, data.length - odd)))
}

/** UTF-8 (or ASCII) text without trailing zeros. Undefined if it is not text. */
export const utf8Text = (data: Uint8Array): string | undefined => cleanText(decode(utf8Decoder, data))

/**
 * The text of event data whose encoding the type does not fix. ASCII in UTF-16 has a zero in every second byte, which
 * no UTF-8 text has, so UTF-8 is tried first; what is left is UTF-16 if it reads as text.
 */
export function anyText(data: Uint8Array): string | undefined {
  return utf8Text(data) ?? (data[1] === 0 ? utf16Text(data) : undefined)
}

/** One UCS-2 string up to its terminator, with the number of bytes that it takes, or undefined if it does not end. */
export function terminatedUtf16(data: Uint8Array): { readonly text: string; readonly size: number } | undefined {
  for (let i = 0; i + 1 < data.length; i += 2) {
    if (data[i] !== 0 || data[i + 1] !== 0) continue
    const text = decode(utf16Decoder, data.subarray(0, i))
    return text === undefined ? undefined : { text, size: i + 2 }
  }
  return undefined
}

/** UTF-16 of a fixed number of bytes, terminators and what follows them cut off. */
export function fixedUtf16(data: Uint8Array): string | undefined {
  return decode(utf16Decoder, data)?.split('\0')[0]
}
