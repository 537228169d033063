import { releaseOf } from '../../deploy/simulator/posture/release.ts'
import { MessageStream } from '../../deploy/simulator/stream.ts'
import type { UpstreamMessage } from '../../deploy/simulator/gateway.ts'
import { PERIOD_MS } from '../support/ingesting-collector.ts'
import { LoadSite } from './load-site.ts'

export interface StormOptions {
  readonly gateways: number
  /** Reports that each has waiting when the broker is back. */
  readonly queued: number
}

export interface StormResult {
  readonly gateways: number
  readonly evidence: number
  /** From the first message to the last commit, by the clock on the wall; broker and database on the same machine. */
  readonly seconds: number
  readonly perSecond: number
  /** Of the collector's process. */
  readonly cpuUsPerEvidence: number
  readonly peakMib: number
  /** Steady reports, each the next of its device, as fast as they are taken. */
  readonly steadyPerSecond: number
  readonly steadyCpuUsPerEvidence: number
  /** Of mosquitto, for a steady report that comes in, goes out to the collector, and the answers back. */
  readonly brokerCpuUsPerEvidence: number
}

const STEADY_ROUNDS = 2

/**
 * Gateways that were cut off from their broker come back in one moment, the newest report of each first and then what has
 * queued up, as agents send it. Then steady reports of all of them. Throws where one is not counted exactly once.
 */
export async function measureStorm(
  repository: string,
  { gateways, queued }: StormOptions,
  say: (line: string) => void,
): Promise<StormResult> {
  const now = Date.now()
  const begin = now - (queued + 1) * PERIOD_MS
  const site = await LoadSite.open(repository, gateways, begin - 1000)
  try {
    const { fleet, collector } = site
    const keys = collector.deps.collectorKeys
    const stream = new MessageStream({ fleet, keys, release: releaseOf(1), gateways, start: begin })
    await site.begin(stream.first(await site.epochAt(begin), begin + 1000), begin + 1000)
    say(`Making ${gateways * queued} messages.`)
    const backlog: UpstreamMessage[][] = []
    for (let round = 1; round <= queued; round++) {
      const issuedAt = round === queued ? Date.now() : begin + round * PERIOD_MS
      backlog.push(await all(stream.steady(await site.epochAt(issuedAt), issuedAt + 1000)))
    }
    await site.start(repository, ['freshness.epoch_period_seconds=3600', 'freshness.window_seconds=3600'])
    const before = { counted: site.counted(), ...site.usage() }
    const newest = backlog.pop() ?? []
    const [storm, seconds] = await drained(site, [newest, ...backlog], before.counted)
    const after = site.usage()
    const steady: UpstreamMessage[][] = []
    for (let round = 0; round < STEADY_ROUNDS; round++) {
      const { collectorId } = collector.deps.policy
      const current = await collector.store.epochs.current()
      if (current === undefined) throw new Error('no epoch')
      const issuedAt = Math.floor(current.issuedAt / 1000)
      steady.push(await all(stream.steady({ ...current, collectorId, issuedAt, period: 3600 }, Date.now())))
    }
    const rested = site.usage()
    const [reports, steadySeconds] = await drained(site, steady, site.counted())
    const end = site.usage()
    const unclear = site.rows('select code from refusals union all select reason from quarantine')
    if (unclear.length > 0) throw new Error(`${unclear.length} messages were refused or not decided`)
    return {
      gateways,
      evidence: storm,
      seconds: Math.round(seconds * 10) / 10,
      perSecond: Math.round(storm / seconds),
      cpuUsPerEvidence: Math.round(((after.cpuMs - before.cpuMs) * 1000) / storm),
      peakMib: end.peakMib,
      steadyPerSecond: Math.round(reports / steadySeconds),
      steadyCpuUsPerEvidence: Math.round(((end.cpuMs - rested.cpuMs) * 1000) / reports),
      brokerCpuUsPerEvidence: Math.round(((end.brokerCpuMs - rested.brokerCpuMs) * 1000) / reports),
    }
  } finally {
    await site.close()
  }
}

async function drained(
  site: LoadSite,
  rounds: readonly (readonly UpstreamMessage[])[],
  before: number,
): Promise<[count: number, seconds: number]> {
  const messages = rounds.flat()
  const begin = performance.now()
  await site.publish(messages)
  await site.untilCounted(before + messages.length)
  const seconds = (performance.now() - begin) / 1000
  if (site.counted() !== before + messages.length) throw new Error('something was counted twice')
  return [messages.length, seconds]
}

async function all(messages: AsyncIterable<UpstreamMessage>): Promise<UpstreamMessage[]> {
  const list: UpstreamMessage[] = []
  for await (const message of messages) list.push(message)
  return list
}
