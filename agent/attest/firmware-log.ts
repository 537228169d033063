import { equal } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { ContentStore } from '../outbox/contents.ts'

/**
 * The log does not change while the machine runs: read once a boot, sent once a boot. One that could not be read is
 * asked for again, since what stood in the way may pass, such as a helper that was not started yet.
 */
export class KeptFirmwareLog {
  readonly #contents: Pick<ContentStore, 'has' | 'put'>
  readonly #read: () => Promise<Uint8Array | null>
  readonly #isAcknowledged: (digest: Uint8Array) => boolean
  #known: { readonly boot: Uint8Array; readonly digest: Uint8Array } | undefined

  constructor(
    contents: Pick<ContentStore, 'has' | 'put'>,
    read: () => Promise<Uint8Array | null>,
    isAcknowledged: (digest: Uint8Array) => boolean,
  ) {
    this.#contents = contents
    this.#read = read
    this.#isAcknowledged = isAcknowledged
  }

  /** Of the log of this boot, which is kept or held by the collector; null where there is none to read now. */
  async digest(boot: Uint8Array): Promise<Uint8Array | null> {
    const known = this.#known
    const isKept = known !== undefined && (this.#isAcknowledged(known.digest) || this.#contents.has(known.digest))
    if (isKept && equal(known.boot, boot)) return known.digest
    const log = await this.#read()
    // What cannot be kept cannot be sent, and is not named: the collector would wait for it for ever.
    const digest = log !== null && (await this.#contents.put(log)) ? new Uint8Array(sha256(log)) : null
    this.#known = digest === null ? undefined : { boot, digest }
    return digest
  }
}
