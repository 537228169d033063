import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { HASH_SIZE, type HashAlgorithm } from '../../shared/crypto/crypto.ts'
import { hash } from '../../shared/crypto/node.ts'
import { verifyEventLog } from '../../shared/eventlog/match.ts'
import { parseEventLog } from '../../shared/eventlog/parse.ts'
import { isExtended, replayBank } from '../../shared/eventlog/replay.ts'
import { secureBootState } from '../../shared/eventlog/secure-boot.ts'
import type { SecureBootState } from '../../shared/eventlog/secure-boot-state.ts'
import { parseAsciiImaList } from '../../shared/ima/parse-ascii.ts'
import { parseBinaryImaList } from '../../shared/ima/parse-binary.ts'
import { verifyImaSuffix } from '../../shared/ima/replay.ts'
import type { UnverifiedImaList } from '../../shared/ima/types.ts'
import { asciiList, binaryList, pcr10Of } from '../support/ima-builder.ts'
import { measuredFiles } from './measured-files.ts'
import { compare, type Comparison } from './statistics.ts'

/** One bank of one log: parse, replay against the quoted values and Secure Boot, against the bare extends of the bank. */
export interface LogResult extends Comparison {
  readonly log: string
  readonly bank: HashAlgorithm
  readonly bytes: number
  readonly extends: number
  /** The same with the names and fingerprints of all certificates, which are made where somebody reads them. */
  readonly ratioWithNames: number
  /** Against the same extends by `createHash`, the form that most programs use. */
  readonly ratioToCreateHash: number
}

export interface ListResult extends Comparison {
  readonly format: 'binary' | 'ascii'
  readonly entries: number
  readonly bytes: number
}

const LOG_COMPARISON = { rounds: 21, callsPerRound: 100, warmUp: 500 }
const LIST_COMPARISON = { rounds: 11, callsPerRound: 2, warmUp: 4 }
export const LONG_LIST = 20_000

/** The extends alone, of digests that were read before, by the fastest form of hashing that node:crypto has. */
export function bareExtends(bank: HashAlgorithm, digests: readonly Uint8Array[]): () => void {
  const size = HASH_SIZE[bank]
  return () => {
    const register = new Uint8Array(2 * size)
    for (const digest of digests) {
      register.set(digest, size)
      register.set(hash(bank, register))
    }
  }
}

function createHashExtends(bank: HashAlgorithm, digests: readonly Uint8Array[]): () => void {
  return () => {
    let value: Uint8Array = new Uint8Array(HASH_SIZE[bank])
    for (const digest of digests) value = createHash(bank).update(value).update(digest).digest()
  }
}

/** The template hash and the extend of each entry, of template data that was read before. */
export function bareEntries(list: UnverifiedImaList): () => void {
  const size = HASH_SIZE.sha256
  return () => {
    const register = new Uint8Array(2 * size)
    for (const { templateData } of list.entries) {
      register.set(hash('sha256', templateData), size)
      register.set(hash('sha256', register))
    }
  }
}

/** The logs with most bytes and with most events among the fixtures; none where there are no fixtures. */
export function measureLogs(repository: string): LogResult[] {
  const directory = join(process.env['KEEPSEAL_FIXTURES'] ?? join(repository, '..', 'shared', 'fixtures'), 'eventlogs')
  if (!existsSync(directory)) return []
  const logs = readdirSync(directory)
    .filter((name) => name.endsWith('.bin'))
    .map((name) => ({ name, bytes: readFileSync(join(directory, name)) }))
  const largest = logs.reduce((a, b) => (b.bytes.length > a.bytes.length ? b : a))
  const eventsOf = (bytes: Uint8Array): number => parseEventLog(bytes).events.length
  const longest = logs.reduce((a, b) => (eventsOf(b.bytes) > eventsOf(a.bytes) ? b : a))
  return [...new Set([largest, longest])].flatMap(({ name, bytes }) => measureLog(name, bytes))
}

function measureLog(log: string, bytes: Uint8Array): LogResult[] {
  const parsed = parseEventLog(bytes)
  return parsed.algorithms.flatMap(({ bank }) => {
    if (bank === undefined) return []
    const digests = parsed.events.filter(isExtended).flatMap((event) => event.digests.get(bank) ?? [])
    const quoted = replayBank(parsed, bank, hash)
    const subject = (): SecureBootState =>
      secureBootState(verifyEventLog(parseEventLog(bytes), bank, quoted, hash), hash)
    const withNames = (): void => {
      const { platformKey, keyExchangeKeys, allowed, forbidden, authorities } = subject()
      if (![platformKey, keyExchangeKeys, allowed, forbidden, authorities].every(Boolean)) throw new Error('no names')
    }
    const bare = bareExtends(bank, digests)
    const comparison = compare(() => void subject(), bare, LOG_COMPARISON)
    const { ratio: ratioWithNames } = compare(withNames, bare, LOG_COMPARISON)
    const { ratio: ratioToCreateHash } = compare(() => void subject(), createHashExtends(bank, digests), LOG_COMPARISON)
    const facts = { log, bank, bytes: bytes.length, extends: digests.length }
    return [{ ...facts, ...comparison, ratioWithNames, ratioToCreateHash }]
  })
}

/** A long list from the start of a boot, as a collector has it that knows nothing of the boot session. */
export function measureLongList(): ListResult[] {
  const specs = measuredFiles(LONG_LIST)
  const quotedPcr10 = pcr10Of(specs)
  const formats = [
    { format: 'binary', bytes: binaryList(specs), parse: parseBinaryImaList },
    { format: 'ascii', bytes: asciiList(specs), parse: parseAsciiImaList },
  ] as const
  return formats.map(({ format, bytes, parse }) => {
    const subject = (): void => {
      verifyImaSuffix({ base: null, suffix: parse(bytes), quotedPcr10, bank: 'sha256' }, hash)
    }
    const comparison = compare(subject, bareEntries(parse(bytes)), LIST_COMPARISON)
    return { format, entries: LONG_LIST, bytes: bytes.length, ...comparison }
  })
}
