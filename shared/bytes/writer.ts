import { concat } from './bytes.ts'

/** Builds big-endian wire structures. Numbers out of range throw, they are never cut. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = []

  #number(value: number, size: 1 | 2 | 4): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
      throw new RangeError(`${value} does not fit into ${size} bytes`)
    }
    const part = new Uint8Array(size)
    for (let i = 0; i < size; i++) part[i] = Math.floor(value / 2 ** (8 * (size - 1 - i))) & 0xff
    this.#parts.push(part)
    return this
  }

  u8(value: number): this {
    return this.#number(value, 1)
  }

  u16(value: number): this {
    return this.#number(value, 2)
  }

  u32(value: number): this {
    return this.#number(value, 4)
  }

  u64(value: bigint): this {
    if (value < 0n || value >= 1n << 64n) throw new RangeError(`${value} does not fit into 8 bytes`)
    const part = new Uint8Array(8)
    new DataView(part.buffer).setBigUint64(0, value)
    this.#parts.push(part)
    return this
  }

  bytes(value: Uint8Array): this {
    this.#parts.push(value)
    return this
  }

  /** TPM2B: a 16-bit length, then the bytes. */
  sized16(value: Uint8Array): this {
    return this.u16(value.length).bytes(value)
  }

  finish(): Uint8Array {
    return concat(...this.#parts)
  }
}
