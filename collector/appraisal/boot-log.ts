import { concat, toHex } from '../../shared/bytes/bytes.ts'
import type { HashAlgorithm, HashFunction } from '../../shared/crypto/crypto.ts'
import { OutcomeError, outcomeOf } from '../../shared/errors.ts'
import { IMA_PCR } from '../../shared/eventlog/constants.ts'
import { verifyEventLog } from '../../shared/eventlog/match.ts'
import { parseEventLog } from '../../shared/eventlog/parse.ts'
import { Recent } from '../recent.ts'
import type { ReplayedLog, UnverifiedEventLog } from '../../shared/eventlog/types.ts'

/** A fleet on one release quotes a few sets of values; a log that many devices share is replayed once for each. */
const REMEMBERED = 4

/** The content of a firmware's log, parsed once, with what it was found to lead to. */
export class BootLog {
  /** Bytes of the content. */
  readonly size: number
  readonly #hash: HashFunction
  readonly #parsed: UnverifiedEventLog | OutcomeError
  readonly #verified = new Recent<ReplayedLog | OutcomeError>(REMEMBERED)

  constructor(content: Uint8Array, hash: HashFunction) {
    this.#hash = hash
    this.size = content.length
    this.#parsed = outcomeOf(() => parseEventLog(content))
  }

  /**
   * The log as proven by quoted values of one bank. PCR 10 is left out unless the log has events for it: the kernel's
   * list extends it all the time. Throws OutcomeError `eventlog.*`.
   */
  verify(bank: HashAlgorithm, quoted: ReadonlyMap<number, Uint8Array>): ReplayedLog {
    const log = this.#parsed
    if (log instanceof OutcomeError) throw log
    const values = new Map(
      [...quoted].filter(([pcr]) => pcr !== IMA_PCR || log.events.some((event) => event.pcr === pcr)),
    )
    const name = `${bank} ${[...values.keys()].join()} ${toHex(this.#hash('sha256', concat(...values.values())))}`
    const known =
      this.#verified.get(name) ??
      this.#verified.keep(
        name,
        outcomeOf(() => verifyEventLog(log, bank, values, this.#hash)),
      )
    if (known instanceof OutcomeError) throw known
    return known
  }
}
