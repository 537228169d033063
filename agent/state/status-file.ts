import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { utf8 } from '../../shared/bytes/bytes.ts'
import { TIERS } from '../../shared/result/vector.ts'
import { writeDurably } from './files.ts'

const Result = v.strictObject({
  status: v.picklist(TIERS),
  latch: v.string(),
  liveness: v.string(),
  bootCoverage: v.string(),
  reasons: v.pipe(v.array(v.string()), v.readonly()),
  since: v.number(),
  issuedAt: v.number(),
})

/** What a running agent says of itself, for `keepseal-agent status`. Losing it loses nothing. Times in seconds. */
const StatusFile = v.strictObject({
  pid: v.number(),
  startedAt: v.number(),
  writtenAt: v.number(),
  connected: v.boolean(),
  /** Between two reports without a connection, as it is configured. */
  resting: v.optional(v.boolean(), false),
  lastMeasurementAt: v.nullable(v.number()),
  lastReceiptAt: v.nullable(v.number()),
  epoch: v.nullable(v.number()),
  problem: v.nullable(v.string()),
  /** By which way the TPM was reached last; null before that, and without one. */
  transport: v.optional(v.nullable(v.picklist(['tss2', 'device'])), null),
  waiting: v.number(),
  dropped: v.number(),
  refused: v.number(),
  /** What the collector concludes about this device; null before it has said so, absent from an agent before this one. */
  result: v.optional(v.nullable(Result), null),
})
export type StatusFile = v.InferOutput<typeof StatusFile>

const pathIn = (stateDirectory: string): string => join(stateDirectory, 'status.json')

export const writeStatus = (stateDirectory: string, status: StatusFile): Promise<void> =>
  writeDurably(pathIn(stateDirectory), utf8(`${JSON.stringify(status)}\n`))

/** Undefined where no agent has run yet, or the file cannot be used. */
export async function readStatus(stateDirectory: string): Promise<StatusFile | undefined> {
  try {
    return v.parse(StatusFile, JSON.parse(await readFile(pathIn(stateDirectory), 'utf8')))
  } catch {
    return undefined
  }
}

/** What keeps the agent from working at all, beside what the last one said of the outbox. Never rejects. */
export async function writeProblem(stateDirectory: string, problem: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  const before = await readStatus(stateDirectory)
  const { waiting = 0, dropped = 0, refused = 0, lastMeasurementAt = null, lastReceiptAt = null } = before ?? {}
  const nothing = {
    connected: false,
    resting: false,
    epoch: null,
    result: null,
    transport: null,
    lastMeasurementAt,
    lastReceiptAt,
    waiting,
    dropped,
    refused,
  }
  const status = { pid: process.pid, startedAt: now, writtenAt: now, ...nothing, problem }
  await writeStatus(stateDirectory, status).catch(() => undefined)
}
