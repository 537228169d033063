import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReceivedMessage } from '../../collector/ingest/evidence-handler.ts'
import { KeyCache } from '../../collector/ingest/known-devices.ts'
import { processBatch } from '../../collector/ingest/process-batch.ts'
import { RememberedDevices } from '../../collector/ingest/steady/remembered-devices.ts'
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
const WARM_ROUNDS = 50
const COLD_ROUNDS = 25
/** Rounds before anything counts, so that all of it runs as compiled code. */
const WARM_UP = 15

/** CPU times for each evidence, in microseconds. */
interface IngestCost {
  readonly rounds: number
  /** Of this process, from received message to durable commit. */
  readonly subjectUs: number
  /** Of its two signature checks. */
  readonly baselineUs: number
  readonly ratio: number
}

export interface IngestResult {
  readonly devices: number
  /** Devices have reported not long ago: keys are imported, and what is known of them is at hand. */
  readonly warm: IngestCost
  /** Nothing of a device is at hand: both sides import its keys, and the subject reads its rows. */
  readonly cold: IngestCost
}

export interface IngestOnPostgres extends IngestResult {
  /** CPU time of the database's processes for one evidence. */
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
    return { ...result, databaseUs: Math.round((databaseMs * 1000) / ((WARM_ROUNDS + COLD_ROUNDS) * DEVICES)) }
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
    const history = { keepOneIn: 100 }
    const warm = new IngestingCollector(store, keys, { keys: new KeyCache(2 * DEVICES), history })
    const devices = await healthyFleet(warm)
    const nothingAtHand = { keys: new KeyCache(0), remembered: new RememberedDevices(0), history }
    const cold = new IngestingCollector(store, keys, nothingAtHand)
    const receiveBy = (collector: IngestingCollector, rounds: number): Promise<IngestCost> =>
      costOf(devices, rounds, {
        collector: warm,
        receive: (messages) => around(() => cpuOf(() => processBatch(store, messages, collector.deps, warm.now))),
        areKeysHeld: collector === warm,
      })
    return {
      devices: DEVICES,
      warm: await receiveBy(warm, WARM_ROUNDS),
      cold: await receiveBy(cold, COLD_ROUNDS),
    }
  } finally {
    await close()
    rmSync(directory, { recursive: true })
  }
}

interface Subject {
  readonly collector: IngestingCollector
  readonly receive: (messages: readonly ReceivedMessage[]) => Promise<number>
  readonly areKeysHeld: boolean
}

async function costOf(
  devices: readonly SoftwareDevice[],
  rounds: number,
  { collector, receive, areKeysHeld }: Subject,
): Promise<IngestCost> {
  const subjects: number[] = []
  const baselines: number[] = []
  for (let round = 0; round < rounds; round++) {
    const messages = await reports(collector, devices)
    const bare = await Promise.all(
      devices.map(async (device, index) => {
        const { bytes } = messages[index] as ReceivedMessage
        return bareChecks({ evidence: { bytes }, device: await collector.row(device) })
      }),
    )
    const subject = await receive(messages)
    const baseline = await cpuOf(() => {
      for (const { check, importKeys } of bare) check(areKeysHeld ? importKeys.once : importKeys())
    })
    if (round < WARM_UP) continue
    subjects.push(subject / DEVICES)
    baselines.push(baseline / DEVICES)
  }
  const ratios = subjects.map((time, i) => time / (baselines[i] ?? Number.NaN))
  return {
    rounds: subjects.length,
    subjectUs: Math.round(median(subjects)),
    baselineUs: Math.round(median(baselines)),
    ratio: toHundredths(median(ratios)),
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
