import { toHex } from '../../shared/bytes/bytes.ts'
import { EVIDENCE_KINDS, type EvidenceItem, type EvidenceKind } from './model.ts'

/** Gathers by its digest what the statements of a report rest on: each once, in one order. */
export class Ledger {
  readonly #items = new Map<string, EvidenceItem>()

  /** `digest`: SHA-256, as bytes or in hexadecimal. Gives it in hexadecimal. */
  add(kind: EvidenceKind, digest: Uint8Array | string, about: string): string {
    const sha256 = typeof digest === 'string' ? digest : toHex(digest)
    this.#items.set(`${kind} ${sha256} ${about}`, { kind, sha256, about })
    return sha256
  }

  get items(): readonly EvidenceItem[] {
    const rank = (item: EvidenceItem): string => `${EVIDENCE_KINDS.indexOf(item.kind)} ${item.about} ${item.sha256}`
    return [...this.#items.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  }
}
