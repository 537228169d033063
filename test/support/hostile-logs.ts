/** Logs of just under 2 MiB that make a careless reader slow, each as a device can make it: extended, and then quoted. */
import { MAX_EVENTS, MAX_LOG_SIZE } from '../../shared/eventlog/constants.ts'
import {
  agileLog,
  authority,
  certificateList,
  configuration,
  dbAuthority,
  GLOBAL,
  goodBoot,
  hashList,
  noAction,
  OWNER,
  pcrsOf,
  SECURITY,
  secureBootVariables,
  separator,
  SHIM,
  u32,
  utf16,
  variableData,
  type EventSpec,
} from './eventlog-builder.ts'

export interface HostileLog {
  readonly title: string
  readonly events: readonly EventSpec[]
  readonly log: Uint8Array
  /** The values that a TPM holds after the events. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>
}

const BANKS = ['sha256'] as const
/** Left for the rest of a log. */
const MARGIN = 8 * 1024
const ROOM = MAX_LOG_SIZE - MARGIN
const EVENT_HEADER = 50

const repeated = (size: number, event: (index: number) => EventSpec): EventSpec[] =>
  Array.from({ length: Math.min(Math.floor(ROOM / (EVENT_HEADER + size)), MAX_EVENTS - 100) }, (_, index) =>
    event(index),
  )

const CERTIFICATE_TYPE = certificateList(Buffer.alloc(1)).subarray(0, 16)

/** One list whose entries have a single byte each. */
function manyEntries(size: number): Buffer {
  const entrySize = 17
  const count = Math.floor((size - 28) / entrySize)
  const entries = Buffer.alloc(count * entrySize, 0x5a)
  return Buffer.concat([CERTIFICATE_TYPE, u32(28 + entries.length), u32(0), u32(entrySize), entries])
}

/** A certificate whose subject is a name of as many parts as there is room for. */
function longName(size: number): Buffer {
  const sequence = (tag: number, content: Uint8Array): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(content.length)
    return Buffer.concat([Buffer.of(tag, 0x84), length, content])
  }
  const name = sequence(0x30, Buffer.alloc(size, Buffer.of(0x31, 0)))
  const empty = Buffer.of(0x30, 0)
  const tbs = sequence(0x30, Buffer.concat([Buffer.of(2, 1, 1), empty, name, empty, name]))
  return sequence(0x30, tbs)
}

const configurations = (db: Buffer): EventSpec[] => [
  ...secureBootVariables().slice(0, 3),
  configuration('db', SECURITY, db),
  configuration('dbx', SECURITY, hashList(Buffer.alloc(32))),
]

function constructions(): Readonly<Record<string, readonly EventSpec[]>> {
  const half = ROOM / 2
  const nuls = Buffer.concat([Buffer.alloc(ROOM - 200), utf16('x')])
  return {
    'as many events as are allowed, in PCR 0': repeated(0, () => separator(0)),
    'as many events as are allowed, in PCR 7': repeated(4, () => separator(7)),
    'events without meaning, measured nowhere': repeated(8, () => noAction(Buffer.alloc(8))),
    'configuration variables, each another one': repeated(46, (index) =>
      configuration(`V${index}`.padStart(7, '_'), GLOBAL, Buffer.alloc(0)),
    ),
    'a database of single bytes, and authorities that are not in it': [
      ...configurations(manyEntries(half)),
      separator(7),
      ...repeated(53, () => dbAuthority(Buffer.of(1))).slice(0, Math.floor(half / (EVENT_HEADER + 53))),
    ],
    'a database of single bytes': [...configurations(manyEntries(ROOM)), separator(7), dbAuthority(Buffer.of(0x5a))],
    'a database of certificates with long names': [
      ...configurations(certificateList(longName(half - 200))),
      separator(7),
      dbAuthority(longName(1024)),
    ],
    'boot variables with bytes behind them': repeated(60_000, () => ({
      pcr: 7,
      type: 'EV_EFI_VARIABLE_AUTHORITY' as const,
      data: Buffer.concat([variableData('a', GLOBAL, Buffer.alloc(59_000)), Buffer.alloc(9)]),
      hashed: Buffer.from('something else'),
    })),
    'a name of zeros that do not end it': [
      { pcr: 7, type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', data: Buffer.concat([GLOBAL, sizes(nuls.length / 2, 0), nuls]) },
    ],
    'revocations of zeros that do not end them': [
      ...secureBootVariables(),
      separator(7),
      dbAuthority(),
      authority('SbatLevel', SHIM, Buffer.concat([Buffer.alloc(half), Buffer.from('x')])),
      authority('SbatLevel', SHIM, Buffer.concat([Buffer.alloc(half), Buffer.from('x')])),
    ],
    'boot loader commands without an end': repeated(4096, () => ({
      pcr: 8,
      type: 'EV_IPL' as const,
      data: Buffer.alloc(4096),
      hashed: OWNER,
    })),
  }
}

function sizes(characters: number, value: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64LE(BigInt(characters))
  bytes.writeBigUInt64LE(BigInt(value), 8)
  return bytes
}

/** Each replays to its own values, so that nothing ends the appraisal early. */
export const hostileLogs = (): HostileLog[] =>
  Object.entries(constructions()).map(([title, hostile]) => {
    const rest = hostile.some(({ pcr }) => pcr === 7) ? goodBoot().filter(({ pcr }) => pcr !== 7) : goodBoot()
    const events = [...rest, ...hostile]
    return { title, events, log: agileLog(events, BANKS), pcrs: pcrsOf(events) }
  })
