import { utf8 } from '../../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { hmac, sha256 } from '../../../shared/crypto/node.ts'

/**
 * From one seed all that a simulated fleet would draw at random: keys, serials, jitter. So a run can be repeated, and a
 * million gateways need no memory. None of it is secret, and none of it is fit for a real gateway.
 */
export class FleetSeed {
  readonly #key: Uint8Array

  constructor(text: string) {
    this.#key = sha256(utf8(`keepseal-simulator ${text}`))
  }

  /** 32 bytes that belong to the name, and to nothing else. */
  bytes(name: string): Uint8Array {
    return new Uint8Array(hmac('sha256', this.#key, utf8(name)))
  }

  /** From 0 to below 1. */
  fraction(name: string): number {
    const bytes = this.bytes(name)
    return new DataView(bytes.buffer).getUint32(0) / 2 ** 32
  }

  /** Draws one value after the other, the same ones in each run. */
  random(name: string): RandomFunction {
    let drawn = 0
    return (length) => {
      const result = new Uint8Array(length)
      for (let at = 0; at < length; at += 32) result.set(this.bytes(`${name} ${drawn++}`).subarray(0, length - at), at)
      return result
    }
  }

  /** `fraction`, one value after the other. */
  fractions(name: string): () => number {
    let drawn = 0
    return () => this.fraction(`${name} ${drawn++}`)
  }

  /** The numbers from 0 to below `count` in an order of this seed (Fisher and Yates). */
  order(name: string, count: number): number[] {
    const order = Array.from({ length: count }, (_, index) => index)
    const next = this.fractions(`order ${name}`)
    for (let last = count - 1; last > 0; last--) {
      const chosen = Math.floor(next() * (last + 1))
      const kept = order[last] ?? 0
      order[last] = order[chosen] ?? 0
      order[chosen] = kept
    }
    return order
  }
}
