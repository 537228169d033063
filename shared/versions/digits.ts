/** What a comparison of two versions answers, as Array.sort takes it: negative, zero or positive. */
export type Order = -1 | 0 | 1

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

export const isLetter = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)

export const orderOf = (a: number | string, b: number | string): Order => (a < b ? -1 : a > b ? 1 : 0)

const withoutZeros = (text: string): string => (text.charCodeAt(0) === 0x30 ? text.replace(/^0+/, '') : text)

/** By value, however many digits there are: dates and commit counts outgrow every integer type. */
export function compareDigits(a: string, b: string): Order {
  const [x, y] = [withoutZeros(a), withoutZeros(b)]
  return x.length === y.length ? orderOf(x, y) : orderOf(x.length, y.length)
}
