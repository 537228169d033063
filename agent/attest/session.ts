/**
 * One run of the agent: the chain that its evidence forms. A new run never continues an old chain, so that a restored
 * image cannot fork one.
 */
export class AttestationSession {
  /** 16 random bytes. */
  readonly id: Uint8Array
  #sequence = 0
  #previous: Uint8Array | null

  /** `lastReceipt`: SHA-256 of the newest receipt that this device knows, which the first evidence names. */
  constructor(id: Uint8Array, lastReceipt: Uint8Array | null) {
    this.id = id
    this.#previous = lastReceipt
  }

  /** The place of the next evidence. */
  get next(): { readonly sequence: number; readonly previous: Uint8Array | null } {
    return { sequence: this.#sequence, previous: this.#previous }
  }

  /** The evidence in that place exists durably. Not before: a number that was lost would be a gap for ever. */
  advance(hashOfEvidence: Uint8Array): void {
    this.#sequence++
    this.#previous = hashOfEvidence
  }
}
