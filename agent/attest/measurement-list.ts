import { endianness } from 'node:os'
import { equal } from '../../shared/bytes/bytes.ts'
import type { ByteOrder } from '../../shared/bytes/reader.ts'
import { hash } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { detectImaFormat } from '../../shared/ima/detect.ts'
import { entryEnds } from '../../shared/ima/offsets.ts'
import { parseBinaryImaList } from '../../shared/ima/parse-binary.ts'
import { verifyImaSuffix } from '../../shared/ima/replay.ts'
import type { QuotedPcr10 } from '../../shared/ima/quoted.ts'
import type { ImaBase } from '../../shared/ima/types.ts'
import type { AcknowledgedList } from '../state/progress.ts'

/** What one evidence carries of the kernel's measurement list. */
export interface ListPart {
  /** The entries from number `first` on. */
  readonly first: number
  readonly entries: Uint8Array
  /** What the collector knows once it has decided about that evidence. */
  readonly told: AcknowledgedList
}

/** Whether the collector has decided about a list that leads to this very value, or about all there was to send. */
export function isTold(known: AcknowledgedList | null, boot: Uint8Array, { bank, value }: QuotedPcr10): boolean {
  return known !== null && equal(known.boot, boot) && known.bank === bank && equal(known.pcr10, value)
}

/**
 * The part of a list that the quote covers and the collector is not known to hold. The list was read after the quote,
 * so that it may hold more: that is left for the next one. A list that does not lead to the quoted value is sent
 * whole, for it is not the agent that decides what that means.
 */
export function nextPart(
  list: Uint8Array,
  known: AcknowledgedList | null,
  boot: Uint8Array,
  quoted: QuotedPcr10,
): ListPart {
  const verified = known !== null && equal(known.boot, boot) && known.bank === quoted.bank ? known.verified : null
  const base =
    verified === null || known === null || verified.bytes > list.length
      ? null
      : { ...verified, pcr10: known.pcr10, bank: quoted.bank }
  const about = { boot: Uint8Array.from(boot), bank: quoted.bank, pcr10: Uint8Array.from(quoted.value) }
  for (const from of base === null ? [null] : [base, null]) {
    const start = from?.bytes ?? 0
    const matched = match(list.subarray(start), from, quoted)
    if (matched === undefined) continue
    const { entries, paddingMode } = matched.next
    return {
      first: from?.entries ?? 0,
      entries: list.slice(start, start + matched.bytes),
      told: { ...about, verified: { entries, bytes: start + matched.bytes, paddingMode } },
    }
  }
  return { first: 0, entries: list, told: { ...about, verified: null } }
}

function match(
  bytes: Uint8Array,
  base: ImaBase | null,
  { bank, value }: QuotedPcr10,
): { readonly next: ImaBase; readonly bytes: number } | undefined {
  const byteOrder = byteOrderOf(bytes)
  const ends = entryEnds(bytes, byteOrder)
  try {
    // An entry that the kernel was still writing while the list was read is none yet.
    const whole = bytes.subarray(0, ends.at(-1) ?? 0)
    const suffix = parseBinaryImaList(whole, { first: base?.entries ?? 0, byteOrder })
    const { next, matchedEntries } = verifyImaSuffix({ base, suffix, quotedPcr10: value, bank }, hash)
    const end = ends[matchedEntries - 1]
    return end === undefined ? undefined : { next, bytes: end }
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}

/** The kernel's own, or little-endian with ima_canonical_fmt. */
function byteOrderOf(bytes: Uint8Array): ByteOrder {
  const format = detectImaFormat(bytes)
  if (format.format === 'binary') return format.byteOrder
  return endianness() === 'LE' ? 'little-endian' : 'big-endian'
}
