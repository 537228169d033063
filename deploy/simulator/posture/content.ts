import { deflateRawSync } from 'node:zlib'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { partsOf, type SectionPart } from '../../../shared/evidence/section-part.ts'

/** What evidence names by its digest: a section or a boot log, and the parts in which it travels. */
export interface Content {
  readonly digest: Uint8Array
  /** `digest` in hexadecimal. */
  readonly name: string
  readonly parts: readonly SectionPart[]
}

export function contentOf(bytes: Uint8Array): Content {
  const digest = new Uint8Array(sha256(bytes))
  return { digest, name: toHex(digest), parts: partsOf({ digest, size: bytes.length }, 1, deflateRawSync(bytes)) }
}
