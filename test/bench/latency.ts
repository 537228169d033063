import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { storedGateway } from '../../deploy/simulator/enrol/into-store.ts'
import type { SimulatedGateway, UpstreamMessage } from '../../deploy/simulator/gateway.ts'
import { releaseOf, withListener } from '../../deploy/simulator/posture/release.ts'
import { MessageStream } from '../../deploy/simulator/stream.ts'
import { downTopic } from '../../shared/evidence/topics.ts'
import { PERIOD_MS } from '../support/ingesting-collector.ts'
import { LoadSite } from './load-site.ts'

export interface LatencyOptions {
  /** Devices that change, one after the other. */
  readonly changing: number
  /** Steady devices beside them, and how many of their reports are sent in a second. */
  readonly steady: number
  readonly loadPerSecond: number
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
}

export interface LatencyResult {
  readonly changes: number
  readonly loadPerSecond: number
  /** From the change on the device to the finding in the database, and from there to the webhook, in ms. */
  readonly finding: Quantiles
  readonly webhook: Quantiles
}

const PATIENCE_MS = 60_000

/**
 * Under a load of steady reports a program opens a port on one device after the other, each of which measures at once: what
 * passes until the finding is committed, and until it was told. The report's interval, by default 300 s, comes before it.
 */
export async function measureLatency(
  repository: string,
  { changing, steady, loadPerSecond }: LatencyOptions,
): Promise<LatencyResult> {
  const begin = Date.now() - PERIOD_MS
  const site = await LoadSite.open(repository, steady + changing, begin - 1000)
  const secret = mkdtempSync(join(tmpdir(), 'keepseal-secret-'))
  const told = new Map<string, number>()
  const receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { events } = JSON.parse(body) as { events: readonly { kind: string; ueid: string }[] }
      for (const { kind, ueid } of events) if (kind === 'finding.opened') told.set(ueid, told.get(ueid) ?? Date.now())
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  try {
    const { fleet, collector } = site
    const keys = collector.deps.collectorKeys
    const release = releaseOf(1)
    const stream = new MessageStream({ fleet, keys, release, gateways: steady, start: begin })
    const first = await site.epochAt(begin)
    await site.begin(stream.first(first, begin + 1000), begin + 1000)
    const epoch = await site.epochAt(Date.now())
    const load: UpstreamMessage[] = []
    const rounds = Math.ceil((loadPerSecond * changing) / 2 / steady)
    for (let round = 0; round < rounds; round++)
      for await (const each of stream.steady(epoch, Date.now())) load.push(each)
    const gateways = Array.from({ length: changing }, (_, index) =>
      storedGateway(fleet, steady + index, keys, release, begin),
    )
    const byTopic = new Map(gateways.map((gateway) => [downTopic(gateway.ueid), gateway]))
    writeFileSync(join(secret, 'secret'), 'a secret of the bench', { mode: 0o600 })
    const { port } = receiver.address() as AddressInfo
    const settings = [
      `webhook.url=http://127.0.0.1:${port}/`,
      `webhook.secret_file=${join(secret, 'secret')}`,
      'webhook.minimum_severity=low',
      'freshness.epoch_period_seconds=3600',
      'freshness.window_seconds=3600',
    ]
    await site.start(repository, settings, (topic, bytes) => {
      const gateway = byTopic.get(topic)
      if (gateway !== undefined) void gateway.answered(bytes).then(({ messages }) => site.publish(messages))
    })
    const report = async (gateway: SimulatedGateway): Promise<void> => {
      gateway.learn(epoch)
      await gateway.report(Date.now())
      const newest = gateway.outbox.waiting.at(-1)
      if (newest !== undefined) await site.publish(await gateway.messagesOf(newest))
    }
    for (const gateway of gateways) await report(gateway)
    const found = (): ReadonlySet<unknown> =>
      new Set(
        site
          .rows(
            "select ueid from findings join devices on devices.id = device_id where code = 'sockets.listener-added'",
          )
          .map(({ ueid }) => ueid),
      )
    const stop = new AbortController()
    const loading = publishEvenly(site, load, loadPerSecond, stop.signal)
    await sleep(2_000)
    const times: { finding: number; webhook: number }[] = []
    for (const gateway of gateways) {
      const changed = Date.now()
      gateway.drift((readings) => withListener(readings, 4444, '/tmp/nc'))
      await report(gateway)
      const foundAt = await when(() => found().has(gateway.ueid))
      await when(() => told.has(gateway.ueid))
      times.push({ finding: foundAt - changed, webhook: Math.max(0, (told.get(gateway.ueid) ?? foundAt) - foundAt) })
    }
    stop.abort()
    await loading
    return {
      changes: times.length,
      loadPerSecond,
      finding: quantiles(times.map(({ finding }) => finding)),
      webhook: quantiles(times.map(({ webhook }) => webhook)),
    }
  } finally {
    await site.close()
    receiver.close()
    rmSync(secret, { recursive: true })
  }
}

async function when(holds: () => boolean): Promise<number> {
  const begin = Date.now()
  while (Date.now() - begin < PATIENCE_MS) {
    if (holds()) return Date.now()
    await sleep(5)
  }
  throw new Error('what was to be measured did not happen')
}

/** Ten times in a second a part of them, until there are no more. */
async function publishEvenly(
  site: LoadSite,
  messages: readonly UpstreamMessage[],
  perSecond: number,
  signal: AbortSignal,
): Promise<void> {
  const part = Math.max(1, Math.round(perSecond / 10))
  for (let at = 0; at < messages.length && !signal.aborted; at += part) {
    const begin = performance.now()
    await site.publish(messages.slice(at, at + part))
    await sleep(Math.max(0, 100 - (performance.now() - begin)))
  }
}

function quantiles(times: readonly number[]): Quantiles {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
