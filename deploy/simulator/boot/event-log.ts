import { createHash } from 'node:crypto'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { EVENT_TYPE, type EventTypeName } from '../../../shared/eventlog/constants.ts'

/** Builds event logs byte by byte, good ones and faulty ones, and replays them by an implementation of its own. */

export interface EventSpec {
  readonly pcr: number
  readonly type: EventTypeName | number
  readonly data: Uint8Array
  /** What the digests cover; the data where absent. */
  readonly hashed?: Uint8Array
  /** Digests as they are to stand in the log, instead of computed ones. */
  readonly digests?: Partial<Record<HashAlgorithm, Uint8Array>>
}

const IDS: Readonly<Record<HashAlgorithm, number>> = { sha1: 4, sha256: 0x0b, sha384: 0x0c, sha512: 0x0d }
const SIZES: Readonly<Record<HashAlgorithm, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

export const digestOf = (bank: HashAlgorithm, data: Uint8Array): Buffer => createHash(bank).update(data).digest()

export const u8 = (value: number): Buffer => Buffer.from([value])
export const u16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
export const ascii = (text: string): Buffer => Buffer.from(text, 'latin1')
export const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')

const typeNumber = (type: EventSpec['type']): number => (typeof type === 'number' ? type : EVENT_TYPE[type])

function digestFor(bank: HashAlgorithm, event: EventSpec): Uint8Array {
  if (typeNumber(event.type) === EVENT_TYPE.EV_NO_ACTION) return event.digests?.[bank] ?? Buffer.alloc(SIZES[bank])
  return event.digests?.[bank] ?? digestOf(bank, event.hashed ?? event.data)
}

export function sha1Event(event: EventSpec): Buffer {
  const { pcr, type, data } = event
  return Buffer.concat([u32(pcr), u32(typeNumber(type)), digestFor('sha1', event), u32(data.length), data])
}

export function agileEvent(event: EventSpec, banks: readonly HashAlgorithm[]): Buffer {
  const digests = banks.map((bank) => Buffer.concat([u16(IDS[bank]), digestFor(bank, event)]))
  const { pcr, type, data } = event
  return Buffer.concat([u32(pcr), u32(typeNumber(type)), u32(banks.length), ...digests, u32(data.length), data])
}

export function specIdData(algorithms: readonly (readonly [id: number, size: number])[], vendorInfo = ''): Buffer {
  return Buffer.concat([
    ascii('Spec ID Event03\0'),
    u32(0),
    Buffer.from([0, 2, 0, 2]),
    u32(algorithms.length),
    ...algorithms.flatMap(([id, size]) => [u16(id), u16(size)]),
    u8(vendorInfo.length),
    ascii(vendorInfo),
  ])
}

export const specIdEvent = (banks: readonly HashAlgorithm[], vendorInfo = ''): Buffer =>
  sha1Event({
    pcr: 0,
    type: 'EV_NO_ACTION',
    data: specIdData(
      banks.map((bank) => [IDS[bank], SIZES[bank]] as const),
      vendorInfo,
    ),
  })

/** A log in the crypto-agile format. */
export const agileLog = (events: readonly EventSpec[], banks: readonly HashAlgorithm[] = ['sha1', 'sha256']): Buffer =>
  Buffer.concat([specIdEvent(banks), ...events.map((event) => agileEvent(event, banks))])

/** A log in the SHA-1 format. */
export const sha1Log = (events: readonly EventSpec[]): Buffer => Buffer.concat(events.map(sha1Event))

/** The PCR values that a TPM would hold after the events, for PCRs 0 to 15. */
export function pcrsOf(
  events: readonly EventSpec[],
  bank: HashAlgorithm = 'sha256',
  locality = 0,
): Map<number, Buffer> {
  const pcrs = new Map<number, Buffer>()
  for (let pcr = 0; pcr < 16; pcr++) pcrs.set(pcr, Buffer.alloc(SIZES[bank]))
  pcrs.get(0)?.writeUInt8(locality, SIZES[bank] - 1)
  for (const event of events) {
    if (typeNumber(event.type) === EVENT_TYPE.EV_NO_ACTION || event.pcr > 23) continue
    extendPcr(pcrs, event.pcr, digestFor(bank, event), bank)
  }
  return pcrs
}

export function extendPcr(
  pcrs: Map<number, Buffer>,
  pcr: number,
  digest: Uint8Array,
  bank: HashAlgorithm = 'sha256',
): void {
  const old = pcrs.get(pcr) ?? Buffer.alloc(SIZES[bank], pcr >= 17 && pcr <= 22 ? 0xff : 0)
  pcrs.set(pcr, digestOf(bank, Buffer.concat([old, digest])))
}
