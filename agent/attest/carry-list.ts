import { sha256 } from '../../shared/crypto/node.ts'
import type { ImaSuffix } from '../../shared/evidence/tpm-evidence.ts'
import { quotedPcr10 } from '../../shared/ima/quoted.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { Log } from '../log.ts'
import type { ContentStore } from '../outbox/contents.ts'
import type { AcknowledgedList } from '../state/progress.ts'
import { isTold, nextPart } from './measurement-list.ts'

/** What an evidence carries of the kernel's measurement list. */
export interface CarriedList {
  readonly suffix: ImaSuffix
  /** Digest of the content that the suffix names; null where its entries are in the evidence itself. */
  readonly content: Uint8Array | null
  readonly told: AcknowledgedList
}

export interface ListToCarry {
  readonly pcrs: PcrValues
  /** The kernel's boot id. */
  readonly boot: Uint8Array
  readonly known: AcknowledgedList | null
  readonly read: () => Promise<Uint8Array | null>
  readonly contents: Pick<ContentStore, 'put'>
  readonly log: Log
}

/** Entries that travel within the evidence, which has 64 KiB with all else. More of them travel as a content. */
const MAX_INLINE = 32 * 1024

/** In the place of the entries, 32 bytes are always a digest. */
const DIGEST_SIZE = 32

/** Null while the quoted PCR 10 is the one that the collector has decided about: nothing was measured since. */
export async function carryList(request: ListToCarry): Promise<CarriedList | null> {
  const { pcrs, boot, known, read, contents, log } = request
  const quoted = quotedPcr10(pcrs)
  // A list beside a PCR 10 that nothing was measured into proves nothing: the kernel keeps it for another TPM, or none.
  if (quoted === undefined || !quoted.extended || isTold(known, boot, quoted)) return null
  const list = await read()
  if (list === null) return null
  const { first, entries, told } = nextPart(list, known, boot, quoted)
  const isInline = entries.length <= MAX_INLINE && entries.length !== DIGEST_SIZE
  if (isInline) return { suffix: { first, entries }, content: null, told }
  const digest = new Uint8Array(sha256(entries))
  if (await contents.put(entries)) return { suffix: { first, entries: digest }, content: digest, told }
  log.warn(`the measurement list of the kernel has ${entries.length} bytes, more than can be sent`)
  return null
}
