import { expect, it } from 'vitest'
import type { SimulatedGateway } from '../../../deploy/simulator/gateway.ts'
import { releaseOf } from '../../../deploy/simulator/posture/release.ts'
import { captureRelease } from '../../../collector/releases/capture.ts'
import { goldenDevice } from '../../../collector/releases/golden.ts'
import type { Release } from '../../../collector/model/release.ts'
import { IngestingCollector, PERIOD_MS, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { ReleasedFleet, WINDOW_MS } from '../../support/released-fleet.ts'
import { SimulatedSite } from '../../support/simulated-fleet.ts'
import { describeStore } from '../store/support.ts'

const GATEWAYS = 1_000
const LEFT_BEHIND = 7
const BATCH = 200
/** Three thousand reports, of which two thousand tell something new. */
const PATIENCE_MS = 300_000

/** A fleet of simulated gateways, which report when they are told to and take what the collector answers. */
class RollOut {
  readonly site: SimulatedSite
  readonly releases: ReleasedFleet

  constructor(site: SimulatedSite) {
    this.site = site
    this.releases = new ReleasedFleet(site.collector)
  }

  /** In a new epoch, each with the contents that the collector does not have. */
  async report(gateways: readonly SimulatedGateway[]): Promise<void> {
    const { collector } = this.site
    collector.now += PERIOD_MS
    const epoch = await this.site.epoch(collector.now)
    for (let first = 0; first < gateways.length; first += BATCH) {
      const batch = gateways.slice(first, first + BATCH)
      for (const gateway of batch) {
        gateway.learn(epoch)
        await gateway.report(collector.now)
      }
      let messages = (await Promise.all(batch.map(async (gateway) => evidenceOf(gateway)))).flat()
      while (messages.length > 0) {
        const { publications, handled } = await this.site.ingest(messages, collector.now)
        expect(handled.filter(({ result }) => result === 'refused')).toEqual([])
        const answered = await Promise.all(
          publications.map(async ({ topic, bytes }) => {
            const gateway = batch.find(({ ueid }) => topic.includes(ueid))
            return (await gateway?.answered(bytes))?.messages ?? []
          }),
        )
        messages = answered.flat()
      }
    }
  }

  update(gateways: readonly SimulatedGateway[], release: number): void {
    const { posture, boot } = releaseOf(release)
    for (const gateway of gateways) gateway.reboot(posture, boot)
  }

  /** What the golden gateway runs becomes the release in force; the one before stays accepted for the window. */
  async putInForce(name: string, { ueid }: SimulatedGateway): Promise<Release> {
    const { store } = this.site.collector
    const product = await this.releases.product()
    const { file } = captureRelease(product, name, [await goldenDevice(store, product, ueid)])
    return this.releases.release(file)
  }

  /** `code ueid` of every finding that is not resolved. */
  async findings(): Promise<readonly string[]> {
    const { items } = await this.site.collector.store.findings.list({ limit: 500 }, { state: ['open', 'recovered'] })
    return items.map(({ finding, ueid }) => `${finding.code} ${ueid}`).sort()
  }
}

async function evidenceOf(gateway: SimulatedGateway) {
  const newest = gateway.outbox.waiting.at(-1)
  return newest === undefined ? [] : gateway.messagesOf(newest)
}

describeStore('a roll-out to a thousand gateways', (createStore) => {
  const keys = useCollectorKeys()

  it(
    'raises no finding in its window, tells at once who goes back, and who was left behind when it closes',
    async () => {
      const site = await SimulatedSite.of(new IngestingCollector(createStore(), keys()), GATEWAYS)
      const fleet = new RollOut(site)
      const { gateways, collector } = site
      const [golden, other] = gateways as [SimulatedGateway, SimulatedGateway, ...SimulatedGateway[]]
      const behind = gateways.slice(-LEFT_BEHIND)

      await fleet.report(gateways)
      await fleet.putInForce('N', golden)
      await fleet.report(gateways)
      expect(await fleet.findings()).toEqual([])

      fleet.update([golden], 2)
      await fleet.report([golden])
      const next = await fleet.putInForce('N+1', golden)
      expect(await fleet.findings()).toEqual([])
      for (const wave of [gateways.slice(1, 100), gateways.slice(100, -LEFT_BEHIND)]) {
        fleet.update(wave, 2)
        await fleet.report(wave)
        expect(await fleet.findings()).toEqual([])
      }
      const counts = await collector.store.releases.deviceCounts(collector.productId)
      expect([...counts.values()].sort((a, b) => a - b)).toEqual([LEFT_BEHIND, GATEWAYS - LEFT_BEHIND])

      fleet.update([other], 1)
      await fleet.report([other])
      expect(await fleet.findings()).toEqual([`release.downgraded ${other.ueid}`])
      fleet.update([other], 2)
      await fleet.report([other])
      expect(await fleet.findings()).toEqual([])

      collector.now = (next.activatedAt ?? 0) + WINDOW_MS - 1
      await fleet.releases.judge()
      expect(await fleet.findings()).toEqual([])
      collector.now += 1
      await fleet.releases.judge()
      expect(await fleet.findings()).toEqual(behind.map(({ ueid }) => `release.superseded ${ueid}`).sort())
    },
    PATIENCE_MS,
  )
})
