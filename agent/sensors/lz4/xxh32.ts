/** xxHash, 32 bits, by which the LZ4 frame format checks its parts: https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md */
const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1
const STRIPE_BYTES = 16

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))
const round = (lane: number, word: number): number =>
  Math.imul(rotated((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1)

/** The digest of what was added, with seed 0. */
export class Xxh32 {
  #lanes: [number, number, number, number] = [(PRIME_1 + PRIME_2) | 0, PRIME_2, 0, -PRIME_1 | 0]
  /** What is left of a stripe. */
  readonly #rest = Buffer.alloc(STRIPE_BYTES)
  #filled = 0
  #total = 0

  add(bytes: Uint8Array): this {
    const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#total += input.length
    let at = 0
    if (this.#filled > 0) {
      at = input.copy(this.#rest, this.#filled)
      this.#filled += at
      if (this.#filled < STRIPE_BYTES) return this
      this.#stripes(this.#rest, 0, STRIPE_BYTES)
    }
    const end = at + ((input.length - at) & ~(STRIPE_BYTES - 1))
    this.#stripes(input, at, end)
    this.#filled = input.copy(this.#rest, 0, end)
    return this
  }

  #stripes(input: Buffer, start: number, end: number): void {
    let [one, two, three, four] = this.#lanes
    for (let at = start; at < end; at += STRIPE_BYTES) {
      one = round(one, input.readInt32LE(at))
      two = round(two, input.readInt32LE(at + 4))
      three = round(three, input.readInt32LE(at + 8))
      four = round(four, input.readInt32LE(at + 12))
    }
    this.#lanes = [one, two, three, four]
  }

  digest(): number {
    const [one, two, three, four] = this.#lanes
    let hash =
      this.#total < STRIPE_BYTES ? PRIME_5 : rotated(one, 1) + rotated(two, 7) + rotated(three, 12) + rotated(four, 18)
    hash = (hash + this.#total) | 0
    let at = 0
    for (; at + 4 <= this.#filled; at += 4) {
      hash = Math.imul(rotated((hash + Math.imul(this.#rest.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4)
    }
    for (; at < this.#filled; at++) {
      hash = Math.imul(rotated((hash + Math.imul(this.#rest.readUInt8(at), PRIME_5)) | 0, 11), PRIME_1)
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
    return (hash ^ (hash >>> 16)) >>> 0
  }
}
