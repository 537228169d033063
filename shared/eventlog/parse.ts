import { ByteRangeError, ByteReader } from '../bytes/reader.ts'
import { HASH_SIZE, type HashAlgorithm } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { hashId } from '../tpm/constants.ts'
import { EVENT_TYPE, isOutsideOfPcrs, MAX_EVENTS, MAX_LOG_SIZE, PCR_COUNT } from './constants.ts'
import { malformedAt } from './malformed.ts'
import { isCryptoAgileSpecId, parseSpecId } from './spec-id.ts'
import type { LogAlgorithm, UnverifiedEvent, UnverifiedEventLog } from './types.ts'

const SHA1: LogAlgorithm = { id: hashId('sha1'), size: HASH_SIZE.sha1, bank: 'sha1' }

/** Both sizes count the fields up to and including the first one whose value depends on the event. */
const SHA1_HEADER_SIZE = 32
const CRYPTO_AGILE_HEADER_SIZE = 12

/**
 * Reads a TCG event log, PFP section 10: the SHA-1 format of TPM 1.2 (also written by firmware for TPM 2.0) or the
 * crypto-agile one. Everything in the result is a claim until `verifyEventLog` (./match.ts) has replayed it.
 * Throws `eventlog.too-large` beyond 2 MiB or 20,000 events, and `eventlog.malformed`, with the place, for all else.
 */
export function parseEventLog(bytes: Uint8Array): UnverifiedEventLog {
  // A plain view: the parts of a Buffer would be Buffers, whose slice() shares memory where Uint8Array's copies.
  const log = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (log.length > MAX_LOG_SIZE) throw new OutcomeError('eventlog.too-large', `${log.length} bytes`)
  if (log.length === 0 || isPadding(log, 0, SHA1_HEADER_SIZE)) throw malformedAt(0, 'the log is empty')
  const reader = new ByteReader(log, 'little-endian')
  let start = 0
  try {
    const events: UnverifiedEvent[] = []
    const first = readSha1Event(reader, 0, 0)
    events.push(first)
    // The crypto-agile format announces itself by a first event in the older one.
    const agile = first.type === EVENT_TYPE.EV_NO_ACTION && isCryptoAgileSpecId(first.data)
    const algorithms = agile ? parseSpecId(first.data, SHA1_HEADER_SIZE).algorithms : [SHA1]
    const byId = new Map(algorithms.map((algorithm) => [algorithm.id, algorithm]))
    const headerSize = agile ? CRYPTO_AGILE_HEADER_SIZE : SHA1_HEADER_SIZE
    while (reader.remaining > 0 && !isPadding(log, reader.offset, headerSize)) {
      if (events.length >= MAX_EVENTS) throw new OutcomeError('eventlog.too-large', `more than ${MAX_EVENTS} events`)
      start = reader.offset
      events.push(
        agile ? readCryptoAgileEvent(reader, events.length, start, byId) : readSha1Event(reader, events.length, start),
      )
    }
    return { format: agile ? 'crypto-agile' : 'sha1', algorithms, events, trailingBytes: reader.remaining }
  } catch (error) {
    if (error instanceof ByteRangeError) throw malformedAt(start, `the event goes beyond the end (${error.message})`)
    throw error
  }
}

/** TCG_PCClientPCREvent, PFP section 10.2.1. */
function readSha1Event(reader: ByteReader, sequence: number, offset: number): UnverifiedEvent {
  const { pcr, type } = readIndexAndType(reader, offset)
  const digests = new Map<HashAlgorithm, Uint8Array>([['sha1', reader.bytes(SHA1.size)]])
  const data = reader.bytes(reader.u32())
  return { sequence, offset, pcr, type, digests, data }
}

/** TCG_PCR_EVENT2, PFP section 10.2.2. */
function readCryptoAgileEvent(
  reader: ByteReader,
  sequence: number,
  offset: number,
  algorithms: ReadonlyMap<number, LogAlgorithm>,
): UnverifiedEvent {
  const { pcr, type } = readIndexAndType(reader, offset)
  const count = reader.u32()
  // Fewer digests than announced occur in real logs (Windows writes one bank); a bank that lacks one cannot be replayed.
  if (count > algorithms.size) throw malformedAt(offset, `${count} digests where ${algorithms.size} were announced`)
  const digests = new Map<HashAlgorithm, Uint8Array>()
  const seen: number[] = []
  for (let i = 0; i < count; i++) {
    const id = reader.u16()
    const algorithm = algorithms.get(id)
    if (algorithm === undefined) throw malformedAt(offset, `a digest of unannounced algorithm 0x${id.toString(16)}`)
    if (seen.includes(id)) throw malformedAt(offset, `two digests of algorithm 0x${id.toString(16)}`)
    seen.push(id)
    const digest = reader.bytes(algorithm.size)
    if (algorithm.bank !== undefined) digests.set(algorithm.bank, digest)
  }
  const data = reader.bytes(reader.u32())
  return { sequence, offset, pcr, type, digests, data }
}

function readIndexAndType(reader: ByteReader, offset: number): { pcr: number; type: number } {
  const pcr = reader.u32()
  const type = reader.u32()
  if (pcr >= PCR_COUNT && !isOutsideOfPcrs(pcr)) throw malformedAt(offset, `PCR index ${pcr}`)
  return { pcr, type }
}

/**
 * The end of a log that was copied together with the memory reserved for it: an event header of zeros (what Linux
 * takes for the end too) or of ones (erased flash, confidential-computing logs). What follows is never read as events;
 * events that it might hide would be missing from the replay.
 */
function isPadding(log: Uint8Array, offset: number, headerSize: number): boolean {
  const fill = log[offset]
  if (fill !== 0 && fill !== 0xff) return false
  const end = Math.min(log.length, offset + headerSize)
  for (let i = offset + 1; i < end; i++) if (log[i] !== fill) return false
  return true
}
