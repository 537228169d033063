import { expect, it } from 'vitest'
import { SCENARIOS } from '../../../deploy/simulator/scenarios.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SimulatedSite } from '../../support/simulated-fleet.ts'
import { describeStore } from '../../collector/store/support.ts'

const COUNT = 6

describeStore('a simulated fleet at a collector', (createStore) => {
  const keys = useCollectorKeys()
  const siteOf = (count = COUNT): Promise<SimulatedSite> => SimulatedSite.of(new IngestingCollector(createStore(), keys()), count)

  it('is affirmed after its approval, and nothing is found, while nothing happens', async () => {
    const site = await siteOf()
    const fleet = await site.play(SCENARIOS.steady)
    console.log(fleet.statistics.summary, [...new Set(site.results)])
    for (const { ueid } of site.gateways) {
      expect((await site.device(ueid)).state).toMatchObject({ verdict: 'affirming', latch: 'none', bootCoverage: 'measured' })
      expect(await site.findings(ueid)).toEqual([])
    }
  })
  it.each(Object.entries(SCENARIOS))('%s', async (name, scenario) => {
    const site = await siteOf()
    const t=Date.now()
    const fleet = await site.play(scenario)
    console.log(name, Date.now()-t, JSON.stringify(fleet.statistics.summary), [...new Set(site.results)])
    for (const { ueid, identity } of site.gateways) {
      const f = await site.findings(ueid); const s = (await site.device(ueid)).state
      if (f.length || s.verdict!=='affirming') console.log(identity.index, f.length, f.slice(0,6), s.verdict, s.verdictCode)
    }
  })
})
