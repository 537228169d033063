import { packed, type KeyedMessage } from '../../collector/ingest/verify/batch.ts'
import { proofsOf, WorkerKeys } from '../../collector/ingest/verify/check.ts'
import { VerificationPool } from '../../collector/ingest/verify/pool.ts'
import { random } from '../../shared/crypto/node.ts'
import { deviceOf, type StoredFleet } from '../../deploy/simulator/enrol/into-store.ts'
import { FleetSeed } from '../../deploy/simulator/keys/seed.ts'
import { releaseOf } from '../../deploy/simulator/posture/release.ts'
import { MessageStream } from '../../deploy/simulator/stream.ts'
import { median, toHundredths } from './statistics.ts'

export interface WorkersOptions {
  readonly devices: number
  readonly batch: number
  readonly rounds: number
}

export interface StageResult {
  /** Messages in a second of the clock on the wall, median. */
  readonly oneWorker: number
  readonly twoWorkers: number
  /** Median over the rounds. */
  readonly ratio: number
}

export interface WorkersResult {
  readonly warm: StageResult
  /** Each key is imported for each message. */
  readonly cold: StageResult
  /** Of the stage in this thread, without any worker: messages in a second. */
  readonly inProcess: number
  /** What packing a message costs the thread that decides, in microseconds. */
  readonly packUs: number
  readonly messages: number
}

/**
 * The stage that scans, decodes and checks both signatures, alone, on messages that were made before: what two threads do
 * against one, by the clock on the wall, round by round.
 */
export async function measureWorkers({ devices, batch, rounds }: WorkersOptions): Promise<WorkersResult> {
  const messages = await stream(devices)
  const batches = Array.from({ length: Math.ceil(messages.length / batch) }, (_, index) =>
    messages.slice(index * batch, (index + 1) * batch),
  )
  const keys = new WorkerKeys(devices)
  const here = rateOf(messages.length, () => {
    for (const message of messages) proofsOf(message, keys)
  })
  await here()
  const packing = rateOf(messages.length, () => {
    for (const each of batches) packed(each)
  })
  const [warm, cold] = [await compared(batches, rounds, false), await compared(batches, rounds, true)]
  return {
    warm,
    cold,
    inProcess: Math.round(await here()),
    packUs: toHundredths(1e6 / (await packing())),
    messages: messages.length,
  }
}

async function compared(
  batches: readonly (readonly KeyedMessage[])[],
  rounds: number,
  isCold: boolean,
): Promise<StageResult> {
  const count = batches.reduce((sum, { length }) => sum + length, 0)
  const rates: number[][] = [[], []]
  const pools = [1, 2].map((workers) => new VerificationPool({ workers, keys: isCold ? 1 : 1_000_000 }))
  const run = async (pool: VerificationPool): Promise<number> => {
    const rate = rateOf(count, async () => {
      for (const batch of batches) {
        const proofs = await pool.verify(batch)
        if (proofs.some((proof) => proof === undefined)) throw new Error('a good message was not proven')
      }
    })
    return rate()
  }
  // So that all of it runs as compiled code, and the keys are held.
  for (const pool of pools) for (let round = 0; round < 3; round++) await run(pool)
  for (let round = 0; round < rounds; round++) {
    // Each second round the other way round.
    const order = round % 2 === 0 ? [0, 1] : [1, 0]
    for (const index of order) {
      const pool = pools[index]
      if (pool !== undefined) rates[index]?.push(await run(pool))
    }
  }
  for (const pool of pools) await pool.stop()
  const [one = [], two = []] = rates
  return {
    oneWorker: Math.round(median(one)),
    twoWorkers: Math.round(median(two)),
    ratio: toHundredths(median(two.map((rate, index) => rate / (one[index] ?? Number.NaN)))),
  }
}

const rateOf = (count: number, action: () => void | Promise<void>) => async (): Promise<number> => {
  const begin = performance.now()
  await action()
  return (count * 1000) / (performance.now() - begin)
}

/** One steady report of each device, with its keys. */
async function stream(devices: number): Promise<readonly KeyedMessage[]> {
  const now = Date.UTC(2026, 5, 1, 12)
  const product = { id: 'prd_bench', vendor: 'Acme', model: 'GW' }
  const fleet: StoredFleet = { seed: new FleetSeed('workers'), product, now }
  const keys = { collectorId: random(16), receiptKeyOf: () => new Uint8Array(32) }
  const made = new MessageStream({ fleet, keys, release: releaseOf(1), gateways: devices, start: now })
  const epoch = (number: number) => ({
    collectorId: keys.collectorId,
    number,
    nonce: random(32),
    issuedAt: Math.floor(now / 1000) + number * 300,
    period: 300,
  })
  for await (const _ of made.first(epoch(1), now)) void _
  const messages: KeyedMessage[] = []
  for await (const { bytes } of made.steady(epoch(2), now + 300_000)) {
    const { deviceKey, tpm } = deviceOf(fleet, messages.length)
    messages.push({ bytes, deviceKey, akPublic: tpm?.akPublic ?? new Uint8Array(0) })
  }
  return messages
}
