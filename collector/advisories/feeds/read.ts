import { parseDebianTracker } from '../../../shared/advisories/debian-tracker.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { jsonMembers } from '../../../shared/advisories/json-members.ts'
import { parseEpss, parseKev } from '../../../shared/advisories/kev.ts'
import { MAX_DOCUMENT_BYTES, parseJson } from '../../../shared/advisories/reading.ts'
import type { AdvisoryFormat, AdvisoryRecord } from '../../../shared/advisories/record.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { WrongRecord } from '../../model/advisory.ts'
import type { Batch } from '../import.ts'
import { wrongRecord } from '../wrong.ts'
import type { FeedKind } from './feed.ts'
import { textOf, wholeText } from './text.ts'
import { readZip } from './zip.ts'

/** Reads a file as it was fetched. Errors: what the parsers throw. */
type FeedReader = (file: string) => AsyncIterable<Batch>

/** As it is gathered before it goes to the database. */
const RECORDS = 1000
const FACTS = 5000

/** Unpacked. */
const MAX_TRACKER_BYTES = 2 * 1024 ** 3
const MAX_SCORES_BYTES = 256 * 1024 * 1024

export const FEED_READERS: Readonly<Record<Exclude<FeedKind, 'csaf-provider'>, FeedReader>> = {
  'osv-zip': readOsvZip,
  'debian-tracker': readDebianTracker,
  'alpine-secdb': (file) => readDocument(file, 'alpine-secdb'),
  document: (file) => readDocument(file, undefined),
  kev: readKev,
  epss: readEpss,
}

/** What one part of a feed brought: its records, or what is wrong with it. */
interface Part {
  readonly records: readonly AdvisoryRecord[]
  readonly wrong: readonly WrongRecord[]
}

async function* gatheredRecords(parts: AsyncIterable<Part>): AsyncGenerator<Batch> {
  let [records, wrong]: [AdvisoryRecord[], WrongRecord[]] = [[], []]
  for await (const part of parts) {
    records.push(...part.records)
    wrong.push(...part.wrong)
    if (records.length < RECORDS) continue
    yield { records, wrong }
    ;[records, wrong] = [[], []]
  }
  yield { records, wrong }
}

async function* gathered<T>(items: AsyncIterable<readonly T[]>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = []
  for await (const some of items) {
    batch.push(...some)
    if (batch.length >= size) {
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

/** `all.zip` of an ecosystem at OSV: one record in each file. */
async function* readOsvZip(file: string): AsyncGenerator<Batch> {
  const parts = async function* (): AsyncGenerator<Part> {
    for await (const { name, bytes } of readZip(file)) {
      if (name.endsWith('.json')) yield readOsv(name, bytes)
    }
  }
  yield* gatheredRecords(parts())
}

function readOsv(name: string, bytes: Uint8Array): Part {
  try {
    return { records: parseAdvisories(parseJson(utf8(bytes)), 'osv'), wrong: [] }
  } catch (error) {
    // The file has the name of its record, which says itself what it is where it can be read so far.
    const advisory = idIn(bytes) ?? /([^/]+)\.json$/.exec(name)?.[1] ?? null
    const wrong = wrongRecord(name, error, { advisory })
    if (wrong === undefined) throw inFile(name, error)
    return { records: [], wrong: [wrong] }
  }
}

function idIn(bytes: Uint8Array): string | undefined {
  try {
    const { id } = Object(JSON.parse(utf8(bytes))) as { readonly id?: unknown }
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

async function* readDebianTracker(file: string): AsyncGenerator<Batch> {
  const parts = async function* (): AsyncGenerator<Part> {
    for await (const { name, value } of jsonMembers(textOf(file, MAX_TRACKER_BYTES), MAX_DOCUMENT_BYTES)) {
      const wrong: WrongRecord[] = []
      const records = parseDebianTracker(name, value, (advisory, error) => {
        const one = wrongRecord([name, advisory].join(' ').trim(), error, { advisory, package: name })
        if (one === undefined) throw error
        wrong.push(one)
      })
      yield { records, wrong }
    }
  }
  yield* gatheredRecords(parts())
}

async function* readDocument(file: string, format: AdvisoryFormat | undefined): AsyncGenerator<Batch> {
  const value = parseJson(await wholeText(file, MAX_DOCUMENT_BYTES))
  yield { records: parseAdvisories(value, format) }
}

async function* readKev(file: string): AsyncGenerator<Batch> {
  yield { facts: parseKev(parseJson(await wholeText(file, MAX_DOCUMENT_BYTES))) }
}

async function* readEpss(file: string): AsyncGenerator<Batch> {
  const text = await wholeText(file, MAX_SCORES_BYTES)
  const scores = async function* () {
    for (const score of parseEpss(text)) yield [score]
  }
  for await (const facts of gathered(scores(), FACTS)) yield { facts }
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KeepsealError('advisory.malformed', 'is no UTF-8', { cause })
  }
}

/** The same error with the file in which it is. */
export function inFile(name: string, error: unknown): unknown {
  if (!(error instanceof KeepsealError)) return error
  return new KeepsealError(error.code, `${name}: ${error.detail ?? 'unusable'}`, { cause: error })
}
