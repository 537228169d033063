/** Every message that differs from `bytes` in one bit. */
export function* flippedBits(bytes: Uint8Array): Generator<readonly [bit: number, bytes: Uint8Array]> {
  for (let bit = 0; bit < bytes.length * 8; bit++) yield [bit, withFlippedBit(bytes, bit)]
}

export function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
  return flipped
}
