import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReceivedMessage } from '../../collector/ingest/evidence-handler.ts'
import { KeyCache } from '../../collector/ingest/known-devices.ts'
import { openStore, type StoreLocation } from '../../collector/store/index.ts'
import { loadOrCreateKeys } from '../../collector/trust/keys.ts'
import { random } from '../../shared/crypto/node.ts'
import { postgresPrograms, startPostgres } from '../support/postgres.ts'
import { IngestingCollector, START } from '../support/ingesting-collector.ts'
import type { SoftwareDevice } from '../support/software-device.ts'
import { cpuOf } from './cpu.ts'
import { median, toHundredths } from './statistics.ts'
import { bareChecks } from './verification.ts'

const DEVICES = 200
const ROUNDS = 50
/** Rounds before anything counts, so that all of it runs as compiled code. */
const WARM_UP = 15

export interface IngestResult {
  readonly devices: number
  readonly rounds: number
  /** CPU time of this process from received message to durable commit, in microseconds for each evidence. */
  readonly subjectUs: number
  /** CPU time of its two signature checks, keys imported. */
  readonly baselineUs: number
  readonly ratio: number
}

export interface IngestOnPostgres extends IngestResult {
  /** CPU time of the database's processes for one evidence, in microseconds. */
  readonly databaseUs: number
}

/** On SQLite on this machine's disk. */
export async function measureIngest(): Promise<IngestResult> {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  try {
    return await measureOn({ path: join(directory, 'collector.db') })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** On a server of its own, which waits for the same disk. null where PostgreSQL is not installed. */
export async function measureIngestOnPostgres(): Promise<IngestOnPostgres | null> {
  if (postgresPrograms === undefined) return null
  const server = await startPostgres({ isDurable: true })
  try {
    let databaseMs = 0
    const result = await measureOn({ postgres: await server.createDatabase() }, async (receive) => {
      const before = server.cpuMs()
      const cpu = await receive()
      databaseMs += server.cpuMs() - before
      return cpu
    })
    return { ...result, databaseUs: Math.round((databaseMs * 1000) / (ROUNDS * DEVICES)) }
  } finally {
    await server.stop()
  }
}

/**
 * Steady reports of a healthy fleet from the queue to the commit, in batches of one report a device; the broker is not in
 * it. Against the two bare signature checks of the same messages, round by round.
 */
async function measureOn(
  location: StoreLocation,
  around: (receive: () => Promise<number>) => Promise<number> = (receive) => receive(),
): Promise<IngestResult> {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  const keys = await loadOrCreateKeys({ dataDirectory: directory, now: START, random })
  const { store, close } = await openStore(location)
  try {
    const over = { keys: new KeyCache(2 * DEVICES), history: { keepOneIn: 100 } }
    const collector = new IngestingCollector(store, keys, over)
    const devices = await healthyFleet(collector)
    const subjects: number[] = []
    const baselines: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const messages = await reports(collector, devices)
      const bare = await Promise.all(
        devices.map(async (device, index) => {
          const { bytes } = messages[index] as ReceivedMessage
          return bareChecks({ evidence: { bytes }, device: await collector.row(device) })
        }),
      )
      const subject = await around(() => cpuOf(() => collector.receive(...messages)))
      const baseline = await cpuOf(() => {
        for (const { check, importKeys } of bare) check(importKeys.once)
      })
      if (round < WARM_UP) continue
      subjects.push(subject / DEVICES)
      baselines.push(baseline / DEVICES)
    }
    const ratios = subjects.map((time, i) => time / (baselines[i] ?? Number.NaN))
    return {
      devices: DEVICES,
      rounds: subjects.length,
      subjectUs: Math.round(median(subjects)),
      baselineUs: Math.round(median(baselines)),
      ratio: toHundredths(median(ratios)),
    }
  } finally {
    await close()
    rmSync(directory, { recursive: true })
  }
}

async function healthyFleet(collector: IngestingCollector): Promise<readonly SoftwareDevice[]> {
  await collector.product()
  await collector.epoch()
  const devices: SoftwareDevice[] = []
  for (let i = 0; i < DEVICES; i++) devices.push(await collector.device())
  for (const device of devices) await collector.approved(device)
  return devices
}

async function reports(
  collector: IngestingCollector,
  devices: readonly SoftwareDevice[],
): Promise<readonly ReceivedMessage[]> {
  await collector.epoch(...devices)
  const messages: ReceivedMessage[] = []
  for (const device of devices) {
    const made = await device.report()
    device.acknowledged = made
    messages.push(collector.message(device, made.bytes))
  }
  return messages
}
