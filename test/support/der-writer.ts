import { concat, utf8 } from '../../shared/bytes/bytes.ts'
import { TAG } from '../../collector/trust/der.ts'

/** Writes DER, and on request what DER forbids: the tests' own, so that the reader is not checked against itself. */

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Uint8Array.of(0x80 | octets.length, ...octets)
}

export function der(tag: number, ...content: Uint8Array[]): Uint8Array {
  const body = concat(...content)
  return concat(Uint8Array.of(tag), lengthOctets(body.length), body)
}

export const sequence = (...content: Uint8Array[]): Uint8Array => der(TAG.sequence, ...content)
export const set = (...content: Uint8Array[]): Uint8Array => der(TAG.set, ...content)
export const octetString = (content: Uint8Array): Uint8Array => der(TAG.octetString, content)
export const bitString = (content: Uint8Array): Uint8Array => der(TAG.bitString, Uint8Array.of(0), content)
export const boolean = (value: boolean): Uint8Array => der(TAG.boolean, Uint8Array.of(value ? 0xff : 0))
export const text = (value: string): Uint8Array => der(TAG.utf8String, utf8(value))

export function integer(value: number): Uint8Array {
  const octets: number[] = []
  for (let rest = value; octets.length === 0 || rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return der(TAG.integer, Uint8Array.from((octets[0] ?? 0) >= 0x80 ? [0, ...octets] : octets))
}

export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift(128 + (left % 128))
    return groups
  })
  return der(TAG.objectIdentifier, Uint8Array.from(octets))
}

export function generalizedTime(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
  return der(TAG.generalizedTime, utf8(digits))
}

/** A Name of one relative distinguished name for each pair. */
export function name(...pairs: readonly (readonly [string, string])[]): Uint8Array {
  return sequence(...pairs.map(([id, value]) => set(sequence(objectIdentifier(id), text(value)))))
}

export const commonName = (value: string): Uint8Array => name(['2.5.4.3', value])
