/** Raised when a structure ends early or goes on too long. `offset` is where, in bytes from the start. */
export class ByteRangeError extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`)
    this.name = 'ByteRangeError'
    this.offset = offset
  }
}

export type ByteOrder = 'big-endian' | 'little-endian'

/**
 * A cursor over bytes that never reads past their end and never allocates by a declared length: every byte string
 * that it returns is a view on the input.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #littleEndian: boolean
  #offset = 0

  constructor(bytes: Uint8Array, order: ByteOrder = 'big-endian') {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#littleEndian = order === 'little-endian'
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  /** Moves past `length` bytes and returns where they began. */
  #advance(length: number): number {
    if (!Number.isSafeInteger(length) || length < 0 || length > this.remaining) {
      throw new ByteRangeError(`${length} bytes wanted, ${this.remaining} left`, this.#offset)
    }
    const start = this.#offset
    this.#offset += length
    return start
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), this.#littleEndian)
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), this.#littleEndian)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), this.#littleEndian)
  }

  bytes(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A byte string preceded by its length as a 16-bit number: the TPM2B of TPM 2.0 Part 2, section 10.4. */
  sized16(): Uint8Array {
    return this.bytes(this.u16())
  }

  /** Fails unless everything was read. */
  end(): void {
    if (this.remaining !== 0) throw new ByteRangeError(`${this.remaining} trailing bytes`, this.#offset)
  }
}
