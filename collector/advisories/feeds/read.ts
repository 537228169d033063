import { parseDebianTracker } from '../../../shared/advisories/debian-tracker.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { jsonMembers } from '../../../shared/advisories/json-members.ts'
import { parseEpss, parseKev } from '../../../shared/advisories/kev.ts'
import { MAX_DOCUMENT_BYTES, parseJson } from '../../../shared/advisories/reading.ts'
import type { AdvisoryFormat, AdvisoryRecord } from '../../../shared/advisories/record.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Batch } from '../import.ts'
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
  const records = async function* (): AsyncGenerator<readonly AdvisoryRecord[]> {
    for await (const { name, bytes } of readZip(file)) {
      if (name.endsWith('.json')) yield readOsv(name, bytes)
    }
  }
  for await (const batch of gathered(records(), RECORDS)) yield { records: batch }
}

function readOsv(name: string, bytes: Uint8Array): readonly AdvisoryRecord[] {
  try {
    return parseAdvisories(parseJson(utf8(bytes)), 'osv')
  } catch (error) {
    throw inFile(name, error)
  }
}

async function* readDebianTracker(file: string): AsyncGenerator<Batch> {
  const records = async function* (): AsyncGenerator<readonly AdvisoryRecord[]> {
    for await (const { name, value } of jsonMembers(textOf(file, MAX_TRACKER_BYTES), MAX_DOCUMENT_BYTES)) {
      yield parseDebianTracker(name, value)
    }
  }
  for await (const batch of gathered(records(), RECORDS)) yield { records: batch }
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
