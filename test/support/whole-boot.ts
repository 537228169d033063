/** The files of a boot that never was: a firmware log, a kernel list and a quote over both, made to fit. */
import type { BootFiles } from '../../shared/inspect/boot/inspect.ts'
import * as node from '../../shared/crypto/node.ts'
import { pcrDigest, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { HashAlgorithm } from '../../shared/crypto/crypto.ts'
import { agileLog, digestOf, extendPcr, goodBoot, pcrsOf, type EventSpec } from './eventlog-builder.ts'
import { binaryList, goodList, pcr10Of, type ImaSpec } from './ima-builder.ts'
import { NONCE, quoteInput, SoftwareSigner } from './tpm-quote.ts'

export const primitives = { hash: node.hash, importer: node }

export interface WholeBoot {
  readonly events?: readonly EventSpec[]
  /** Words measured after the log's end, by PCR. */
  readonly late?: Readonly<Record<number, readonly string[]>>
  /** What follows the boot aggregate. */
  readonly list?: readonly ImaSpec[]
  /** Entries that came after the quote. */
  readonly laterEntries?: readonly ImaSpec[]
  readonly signer?: SoftwareSigner
  readonly hash?: HashAlgorithm
  readonly quotedPcrs?: readonly number[]
}

export const QUOTED = Array.from({ length: 15 }, (_, pcr) => pcr)

/** With `--pcrs` as bare values in the order of the selection. */
export function wholeBoot(boot: WholeBoot = {}): BootFiles {
  const { events = goodBoot(), late = {}, list = goodList().slice(1), laterEntries = [] } = boot
  const signer = boot.signer ?? new SoftwareSigner('ecdsa')
  const values = pcrsOf(events)
  const aggregate = digestOf('sha256', Buffer.concat([...values.values()].slice(0, 10)))
  const entries: ImaSpec[] = [{ path: 'boot_aggregate', algorithm: 'sha256', digest: aggregate }, ...list]
  for (const [pcr, words] of Object.entries(late)) {
    for (const word of words) extendPcr(values, Number(pcr), digestOf('sha256', Buffer.from(word)))
  }
  values.set(10, pcr10Of(entries))
  const pcrs = boot.quotedPcrs ?? QUOTED
  const quoted: PcrValues = new Map([
    ['sha256', new Map(pcrs.map((pcr) => [pcr, values.get(pcr) ?? Buffer.alloc(32)]))],
  ])
  const selection = [{ bank: 'sha256' as const, pcrs }]
  const hash = boot.hash ?? 'sha256'
  const change = { selection, pcrDigest: pcrDigest(node.hash, hash, quoted, selection) }
  const { attest, signature } = quoteInput(signer, change, quoted, hash)
  return {
    attest,
    signature,
    key: { kind: 'public-area', area: signer.area },
    nonce: NONCE,
    pcrs: Buffer.concat(pcrs.map((pcr) => values.get(pcr) ?? Buffer.alloc(32))),
    eventLog: agileLog(events),
    ima: binaryList([...entries, ...laterEntries]),
    endorsementKeys: [],
    endorsement: null,
  }
}
