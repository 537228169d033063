import { describe, expect, it } from 'vitest'
import { runVirtual, VirtualClock } from '../../../deploy/simulator/clock.ts'
import { storedGateway } from '../../../deploy/simulator/enrol/into-store.ts'
import { Fleet } from '../../../deploy/simulator/fleet.ts'
import { FleetSeed } from '../../../deploy/simulator/keys/seed.ts'
import type { NetworkMix } from '../../../deploy/simulator/network.ts'
import { releaseOf } from '../../../deploy/simulator/posture/release.ts'
import type { Scenario, Step } from '../../../deploy/simulator/scenario.ts'
import { Schedule } from '../../../deploy/simulator/schedule.ts'
import { InProcessTransport } from '../../../deploy/simulator/transport/in-process.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { signEpoch } from '../../../shared/evidence/epoch.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { SECTION_IDS } from '../../../shared/posture/sections.ts'
import { epochTopic, parseUpstreamTopic } from '../../../shared/evidence/topics.ts'
import { collector, epoch, filled, otherDevice } from '../../support/messages.ts'

/** Sections and the boot log. */
const CONTENTS = SECTION_IDS.length + 1

const START = Date.UTC(2026, 5, 1)
const keys = { collectorId: epoch.collectorId, receiptKeyOf: () => filled(32, 9) }

interface Told {
  readonly at: number
  readonly ueid: string
  readonly kind: string
  /** Session and sequence of an evidence. */
  readonly place: string
  readonly posture: string
}

interface Stage {
  readonly seed?: string
  readonly count?: number
  readonly networks?: NetworkMix
  readonly steps?: readonly Step[]
  readonly seconds?: number
  /** True: the other side does not take this one. */
  readonly fails?: (place: number) => boolean
  readonly epochSigner?: typeof collector
}

/** A fleet that nobody answers: what it sends, and when. */
async function sent(stage: Stage): Promise<{ readonly told: readonly Told[]; readonly fleet: Fleet }> {
  const { seed = 'one', count = 4, networks = { always: 1 }, steps = [], seconds = 3_600 } = stage
  const fleetSeed = new FleetSeed(seed)
  const stored = { seed: fleetSeed, product: { id: 'prd_1', vendor: 'Acme', model: 'GW-1' }, now: START }
  const gateways = Array.from({ length: count }, (_, index) => storedGateway(stored, index, keys, releaseOf(1), START))
  const schedule = new Schedule()
  const clock = new VirtualClock(START)
  const told: Told[] = []
  let place = 0
  const transport = new InProcessTransport(({ topic, bytes }) => {
    if (stage.fails?.(place++) === true) return Promise.reject(new KeepsealError('collector.unreachable'))
    const { ueid = '', kind = '' } = parseUpstreamTopic(topic) ?? {}
    const claims = kind === 'evidence' ? decodeEvidence(bytes).claims : undefined
    told.push({
      at: clock.now(),
      ueid,
      kind,
      place: claims === undefined ? '' : `${toHex(claims.session)} ${claims.sequence}`,
      posture: claims === undefined ? '' : toHex(claims.postureDigest),
    })
    return Promise.resolve([])
  })
  const fleet = new Fleet({
    seed: fleetSeed,
    gateways,
    networks,
    schedule,
    clock,
    transport,
    collector: collector.key,
  })
  const { signer } = stage.epochSigner ?? collector
  transport.deliver({ topic: epochTopic, bytes: await signEpoch(epoch, signer) })
  fleet.start()
  const scenario: Scenario = { title: 'test', durationSeconds: seconds, steps, findings: [] }
  fleet.play(scenario)
  await runVirtual(schedule, clock, seconds * 1000, () => fleet.settled())
  return { told, fleet }
}

const evidences = (told: readonly Told[]): readonly Told[] => told.filter(({ kind }) => kind === 'evidence')

describe('a simulated fleet', () => {
  it('does the same for the same seed, and something else for another', async () => {
    const { told } = await sent({ seed: 'one' })
    expect(told.length).toBeGreaterThan(40)
    expect((await sent({ seed: 'one' })).told).toEqual(told)
    expect((await sent({ seed: 'two' })).told).not.toEqual(told)
  })

  it('reports every five minutes, and a little later', async () => {
    const { told, fleet } = await sent({ count: 1 })
    const first = new Map(
      evidences(told)
        .map(({ place, at }) => [place, at] as const)
        .reverse(),
    )
    const times = [...first.values()].sort((a, b) => a - b)
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0))
    expect(pauses.length).toBeGreaterThanOrEqual(9)
    for (const pause of pauses) {
      expect(pause).toBeGreaterThanOrEqual(300_000)
      expect(pause).toBeLessThan(330_000)
    }
    expect(fleet.statistics.summary.made).toBe(times.length)
  })

  it('sends nothing while it is offline, and afterwards all that it has made meanwhile, the newest first', async () => {
    const offline: Step = {
      atSeconds: 1_000,
      gateways: { from: 0, to: 1 },
      change: { kind: 'offline', seconds: 2_000, back: 'at-once' },
    }
    const { told, fleet } = await sent({ count: 3, steps: [offline] })
    expect(told.filter(({ at }) => at > 1_000_000 && at < 3_000_000)).toEqual([])
    const back = evidences(told).filter(({ at, ueid }) => at >= 3_000_000 && ueid === told[0]?.ueid)
    const sequences = back.map(({ place }) => Number(place.split(' ')[1]))
    expect(sequences[0]).toBe(Math.max(...sequences.slice(0, 6)))
    expect(new Set(evidences(told).map(({ place }) => place)).size).toBe(fleet.statistics.made)
  })

  it('sends again what the broker did not take: contents with the next report, the report as one that was lost', async () => {
    const { told } = await sent({ count: 1, fails: (place) => place === 2 })
    const [first] = evidences(told)
    const contents = told.filter(({ kind }) => kind === 'section')
    // Two were taken at the first try, then all with the second report.
    expect(contents.map(({ at }) => at === contents[0]?.at)).toEqual([true, true, ...Array(CONTENTS).fill(false)])
    expect(first?.place).toMatch(/ 1$/)
    expect(evidences(told).map(({ place }) => place)).toContain(first?.place.replace(/ 1$/, ' 0'))
  })

  it('sends again what has no receipt after 25 minutes', async () => {
    const { told } = await sent({ count: 1 })
    const times = evidences(told)
      .filter(({ place }) => place === evidences(told)[0]?.place)
      .map(({ at }) => at)
    expect(times.length).toBe(3)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_500_000)
  })

  it('is connected only for its reports where it is duty-cycled', async () => {
    const { fleet, told } = await sent({ networks: { 'nb-iot': 1 }, seconds: 4 * 3_600 })
    expect(fleet.statistics.made).toBeLessThanOrEqual(16)
    expect(evidences(told).length).toBeGreaterThanOrEqual(12)
    expect(fleet.connected).toBeLessThan(2)
  })

  it('answers no epoch that another collector has signed', async () => {
    const { told, fleet } = await sent({ epochSigner: otherDevice })
    expect(told).toEqual([])
    expect(fleet.statistics.made).toBe(0)
  })

  it('lets a fault of the other side be seen', async () => {
    const broken = sent({
      fails: () => {
        throw new Error('a fault')
      },
    })
    await expect(broken).rejects.toThrow('a fault')
  })
})
