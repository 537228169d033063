import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReceivedMessage } from '../../collector/ingest/evidence-handler.ts'
import { KeyCache } from '../../collector/ingest/known-devices.ts'
import type { BatchResult } from '../../collector/ingest/process-batch.ts'
import { openStore } from '../../collector/store/index.ts'
import { loadOrCreateKeys } from '../../collector/trust/keys.ts'
import { captureRelease } from '../../collector/releases/capture.ts'
import { goldenDevice } from '../../collector/releases/golden.ts'
import { enrolIntoStore, type StoredFleet } from '../../deploy/simulator/enrol/into-store.ts'
import type { UpstreamMessage } from '../../deploy/simulator/gateway.ts'
import { ueidOf } from '../../deploy/simulator/keys/gateway-keys.ts'
import { FleetSeed } from '../../deploy/simulator/keys/seed.ts'
import { releaseOf } from '../../deploy/simulator/posture/release.ts'
import { MessageStream } from '../../deploy/simulator/stream.ts'
import { random } from '../../shared/crypto/node.ts'
import type { EpochMessage } from '../../shared/evidence/epoch.ts'
import { IngestingCollector, PERIOD_MS, START } from '../support/ingesting-collector.ts'
import { ReleasedFleet } from '../support/released-fleet.ts'
import { cpuOf } from './cpu.ts'
import { median } from './statistics.ts'

export interface ScalePoint {
  readonly enrolled: number
  /** CPU time from received message to durable commit, in microseconds for each evidence. */
  readonly evidenceUs: number
  /** Of the database's file, for each device enrolled. */
  readonly bytesPerDevice: number
  /** Of this process, in which the gateways are simulated as well: an upper bound of the collector's. */
  readonly residentMib: number
}

export const FLEETS = [1_000, 10_000, 100_000, 1_000_000] as const
const RELEASES = 3
/** At each size. The smallest fleet has more than twice as many. */
const REPORTING = 400
const BATCH = 200
const ROUNDS = 15
const WARM_UP = 5

/**
 * What one steady report costs while more and more devices are enrolled in one database. At each size the same number of
 * gateways reports, spread evenly over the fleet and over a few releases that are in force.
 */
export async function measureScale(
  say: (line: string) => void,
  fleets: readonly number[] = FLEETS,
): Promise<readonly ScalePoint[]> {
  return withCollector(async ({ collector, path, fleet }) => {
    const site = { collector, fleet, reported: new Set<number>() }
    const points: ScalePoint[] = []
    for (const enrolled of fleets) {
      const before = points.at(-1)?.enrolled ?? 0
      await enrolIntoStore(collector.store, fleet, enrolled - before, tellProgress(say, enrolled, before), before)
      const evidenceUs = await costOfReports(site, enrolled)
      const point: ScalePoint = {
        enrolled,
        evidenceUs: Math.round(evidenceUs),
        bytesPerDevice: Math.round((statSync(path).size + walSize(path)) / enrolled),
        residentMib: Math.round(process.memoryUsage().rss / 1024 / 1024),
      }
      say(`${enrolled} enrolled: ${point.evidenceUs} us a report, ${point.residentMib} MiB`)
      points.push(point)
    }
    return points
  })
}

interface Bench {
  readonly collector: IngestingCollector
  readonly fleet: StoredFleet
  /** Of the database. */
  readonly path: string
}

/** A collector with one product and no device, on SQLite on this machine's disk. */
async function withCollector<T>(action: (bench: Bench) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  const path = join(directory, 'collector.db')
  const keys = await loadOrCreateKeys({ dataDirectory: directory, now: START, random })
  const { store, close } = await openStore({ path })
  try {
    const over = { keys: new KeyCache(10_000), history: { keepOneIn: REPORTS_A_DAY } }
    const collector = new IngestingCollector(store, keys, over)
    await collector.product()
    const product = { id: collector.productId, vendor: 'Acme', model: `GW-${collector.productId}` }
    return await action({ collector, path, fleet: { seed: new FleetSeed('scale'), product, now: START } })
  } finally {
    await close()
    rmSync(directory, { recursive: true })
  }
}

const STORED_DEVICES = 100
const REPORTS_A_DAY = 288

/** Growth of the database's file in a day of steady reports, for each device: the second day, when nothing is new. */
export async function measureStorage(): Promise<{ readonly devices: number; readonly bytesPerDeviceAndDay: number }> {
  return withCollector(async ({ collector, path, fleet }) => {
    await enrolIntoStore(collector.store, fleet, STORED_DEVICES)
    const { collectorKeys: keys } = collector.deps
    const release = releaseOf(1)
    const stream = new MessageStream({ fleet, keys, release, gateways: STORED_DEVICES, start: START })
    await receiveAll(collector, stream.first(await nextEpoch(collector), collector.now))
    await putInForce({ collector, fleet }, [0], 1)
    const sizes: number[] = []
    for (let report = 1; report <= 2 * REPORTS_A_DAY; report++) {
      await receiveAll(collector, stream.steady(await nextEpoch(collector), collector.now))
      if (report % REPORTS_A_DAY === 0) sizes.push(statSync(path).size + walSize(path))
    }
    const [first = 0, second = 0] = sizes
    return { devices: STORED_DEVICES, bytesPerDeviceAndDay: Math.round((second - first) / STORED_DEVICES) }
  })
}

interface Site {
  readonly collector: IngestingCollector
  readonly fleet: StoredFleet
  /** Numbers of the gateways that have reported. */
  readonly reported: Set<number>
}

/** Spread over the whole fleet; gateways that have not reported yet, since these here remember nothing of it. */
function chooseReporting(enrolled: number, reported: Set<number>): readonly number[] {
  return Array.from({ length: REPORTING }, (_, place) => {
    let index = Math.floor((place * enrolled) / REPORTING)
    while (reported.has(index)) index = (index + 1) % enrolled
    reported.add(index)
    return index
  })
}

/** Of a gateway for as long as this takes: one that went back would be a finding. */
const releaseNumber = (index: number): number => (index % RELEASES) + 1

async function costOfReports({ collector, fleet, reported }: Site, enrolled: number): Promise<number> {
  const indexes = chooseReporting(enrolled, reported)
  const isFirst = reported.size === REPORTING
  const indexOf = (place: number): number => indexes[place] ?? 0
  const stream = new MessageStream({
    fleet,
    keys: collector.deps.collectorKeys,
    release: (place) => releaseOf(releaseNumber(indexOf(place))),
    gateways: REPORTING,
    indexOf,
    start: collector.now,
  })
  await receiveAll(collector, stream.first(await nextEpoch(collector), collector.now))
  if (isFirst) await putInForce({ collector, fleet }, indexes)
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const batches = await batchesOf(collector, stream.steady(await nextEpoch(collector), collector.now))
    const results: BatchResult[] = []
    const cost = await cpuOf(async () => {
      for (const batch of batches) results.push(await collector.receive(...batch))
    })
    assertSteady(results)
    if (round >= WARM_UP) costs.push(cost / REPORTING)
  }
  return median(costs)
}

/** Each release as its first gateway has reported it, all of them accepted for as long as this takes. */
async function putInForce(
  { collector, fleet }: Pick<Site, 'collector' | 'fleet'>,
  reporting: readonly number[],
  count = RELEASES,
): Promise<void> {
  const releases = new ReleasedFleet(collector)
  const product = await releases.product()
  for (let release = 1; release <= count; release++) {
    const index = reporting.find((each) => releaseNumber(each) === release) ?? 0
    const golden = await goldenDevice(collector.store, product, ueidOf(fleet.seed, index))
    const { file } = captureRelease(product, `${release}`, [golden])
    await releases.release(file, { windowMs: 1_000_000 * PERIOD_MS })
  }
}

async function nextEpoch(collector: IngestingCollector): Promise<EpochMessage> {
  const { number, nonce, issuedAt } = await collector.epoch()
  const { collectorId } = collector.deps.policy
  return { collectorId, number, nonce, issuedAt: Math.floor(issuedAt / 1000), period: PERIOD_MS / 1000 }
}

async function batchesOf(
  { now: receivedAt }: IngestingCollector,
  messages: AsyncIterable<UpstreamMessage>,
): Promise<readonly ReceivedMessage[][]> {
  const batches: ReceivedMessage[][] = [[]]
  for await (const message of messages) {
    if (batches.at(-1)?.length === BATCH) batches.push([])
    batches.at(-1)?.push({ ...message, receivedAt })
  }
  return batches
}

async function receiveAll(collector: IngestingCollector, messages: AsyncIterable<UpstreamMessage>): Promise<void> {
  for (const batch of await batchesOf(collector, messages)) {
    const { handled } = await collector.receive(...batch)
    const refused = handled.find(({ result }) => result === 'refused')
    if (refused !== undefined) throw new Error(`not what was to be measured: ${refused.code ?? ''} ${refused.detail}`)
  }
}

function assertSteady(results: readonly BatchResult[]): void {
  for (const { result, appraisal } of results.flatMap(({ handled }) => handled)) {
    if (result === 'accepted' && appraisal?.verdict === 'affirming') continue
    throw new Error(`not what was to be measured: ${result} ${appraisal?.verdict ?? ''} ${appraisal?.code ?? ''}`)
  }
}

function walSize(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

const PROGRESS_MS = 30_000

function tellProgress(say: (line: string) => void, goal: number, before: number): (made: number) => void {
  let told = performance.now()
  return (made) => {
    if (performance.now() - told < PROGRESS_MS) return
    told = performance.now()
    say(`  ${before + made} of ${goal} enrolled`)
  }
}
