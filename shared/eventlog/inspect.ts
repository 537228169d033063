import { toHex } from '../bytes/bytes.ts'
import type { HashAlgorithm, HashFunction } from '../crypto/crypto.ts'
import { eventTypeName, isOutsideOfPcrs } from './constants.ts'
import { describeEvent } from './describe.ts'
import { proofOf, type Coverage } from './digests.ts'
import { parseEventLog } from './parse.ts'
import { claimedStartupLocality, isExtended, replayBank } from './replay.ts'
import { claimedSecureBootState } from './secure-boot.ts'
import type { SecureBootState } from './secure-boot-state.ts'
import type { Proof, UnverifiedEvent, UnverifiedEventLog } from './types.ts'

/** An event as `keepseal inspect eventlog` shows it. */
export interface InspectedEvent {
  readonly sequence: number
  /** In bytes from the start of the log. */
  readonly offset: number
  /** Null for an event that belongs to no PCR. */
  readonly pcr: number | null
  /** The name of the claimed type, or its number in hexadecimal where the profile defines none. */
  readonly type: string
  /** Lower-case hexadecimal by bank. */
  readonly digests: Readonly<Partial<Record<HashAlgorithm, string>>>
  /** Bytes of event data. */
  readonly size: number
  /** False for events that inform and are not measured; `proof` is then absent. */
  readonly extended: boolean
  readonly proof?: Proof
  readonly coverage?: Coverage
  readonly description: string
}

/** What a log claims, ready for JSON. Nothing in it is proven: there is no quote. */
export interface InspectedEventLog {
  readonly format: UnverifiedEventLog['format']
  readonly startupLocality: number
  /** Replayed values in lower-case hexadecimal by bank and PCR, of the PCRs that have events. */
  readonly pcrs: Readonly<Partial<Record<HashAlgorithm, Readonly<Record<string, string>>>>>
  readonly secureBoot: SecureBootState
  readonly events: readonly InspectedEvent[]
  readonly trailingBytes: number
}

/** The bank by which proofs are shown: the one that a verifier would quote. */
const PREFERRED_BANKS: readonly HashAlgorithm[] = ['sha256', 'sha384', 'sha512', 'sha1']

/**
 * Reads, replays and explains a log without a quote. Throws as `parseEventLog` does, with the place of the fault. A
 * log of banks that this software cannot compute has no `pcrs`, and its Secure Boot state is unknown.
 */
export function inspectEventLog(bytes: Uint8Array, hash: HashFunction): InspectedEventLog {
  const log = parseEventLog(bytes)
  const banks = log.algorithms.flatMap(({ bank }) => (bank === undefined ? [] : [bank]))
  const preferred = shownBank(log, banks)
  return {
    format: log.format,
    startupLocality: claimedStartupLocality(log),
    pcrs: Object.fromEntries(banks.map((bank) => [bank, hexValues(replayBank(log, bank, hash))])),
    secureBoot: claimedSecureBootState(log, preferred, hash),
    events: log.events.map((event) => inspectEvent(event, preferred, hash)),
    trailingBytes: log.trailingBytes,
  }
}

/** Some firmware announces banks that its events lack, or leaves a bank out of some events. */
function shownBank(log: UnverifiedEventLog, banks: readonly HashAlgorithm[]): HashAlgorithm {
  const announced = PREFERRED_BANKS.filter((bank) => banks.includes(bank))
  const complete = announced.find((bank) => log.events.every((event) => !isExtended(event) || event.digests.has(bank)))
  return complete ?? announced[0] ?? 'sha256'
}

const hexValues = (values: ReadonlyMap<number, Uint8Array>): Record<string, string> =>
  Object.fromEntries([...values].map(([pcr, value]) => [String(pcr), toHex(value)]))

function inspectEvent(event: UnverifiedEvent, bank: HashAlgorithm, hash: HashFunction): InspectedEvent {
  const { sequence, offset, pcr, type, data } = event
  const extended = isExtended(event)
  const digest = extended ? event.digests.get(bank) : undefined
  const proven = digest === undefined ? undefined : proofOf({ claimedType: type, digest, data }, bank, hash)
  return {
    sequence,
    offset,
    pcr: isOutsideOfPcrs(pcr) ? null : pcr,
    type: eventTypeName(type) ?? `0x${type.toString(16).padStart(8, '0')}`,
    digests: Object.fromEntries([...event.digests].map(([name, value]) => [name, toHex(value)])),
    size: data.length,
    extended,
    ...proven,
    description: describeEvent({ pcr, claimedType: type, data, ...coverageOf(proven?.coverage) }, hash),
  }
}

const coverageOf = (coverage: Coverage | undefined) => (coverage === undefined ? {} : { coverage })
