import { expect, it } from 'vitest'
import type { Fleet } from '../../../deploy/simulator/fleet.ts'
import { SCENARIOS } from '../../../deploy/simulator/scenarios.ts'
import type { Scenario } from '../../../deploy/simulator/scenario.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { describeStore } from '../../collector/store/support.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SimulatedSite } from '../../support/simulated-fleet.ts'

const HOUR = 3_600
const COUNT = 5

describeStore('a simulated fleet at a collector', (createStore) => {
  const keys = useCollectorKeys()
  const siteOf = (): Promise<SimulatedSite> => SimulatedSite.of(new IngestingCollector(createStore(), keys()), COUNT)

  const codesOf = async (site: SimulatedSite, ueid: Ueid): Promise<readonly string[]> => [
    ...new Set((await site.findings(ueid)).map((finding) => finding.slice(0, finding.indexOf(' ')))),
  ]

  /** None of them but `concerned` has anything wrong; no finding was opened twice. */
  async function expectFindings(site: SimulatedSite, concerned: ReadonlySet<Ueid>, scenario: Scenario): Promise<void> {
    for (const { ueid } of site.gateways) {
      const findings = await site.findings(ueid)
      expect(findings).toEqual([...new Set(findings)])
      if (concerned.has(ueid)) {
        expect(await codesOf(site, ueid)).toEqual([...scenario.findings].sort())
      } else {
        expect(findings).toEqual([])
        expect((await site.device(ueid)).state).toMatchObject({ verdict: 'affirming', latch: 'none' })
      }
    }
  }

  const chosen = (fleet: Fleet, share: number): ReadonlySet<Ueid> =>
    new Set(fleet.chosen({ from: 0, to: share }).map(({ ueid }) => ueid))
  const first = (fleet: Fleet): ReadonlySet<Ueid> => new Set(fleet.chosen({ first: 1 }).map(({ ueid }) => ueid))

  it('is affirmed after its approval, and receipted to the last report but the newest ones', async () => {
    const site = await siteOf()
    const fleet = await site.play(SCENARIOS.steady)
    await expectFindings(site, new Set(), SCENARIOS.steady)
    for (const { ueid, outbox } of site.gateways) {
      expect((await site.device(ueid)).state).toMatchObject({ bootCoverage: 'measured' })
      expect(outbox.waiting.length).toBeLessThanOrEqual(2)
    }
    const { made, sent, refused, lost } = fleet.statistics.summary
    expect(sent).toBe(made)
    expect({ refused, lost }).toEqual({ refused: {}, lost: 0 })
    expect(new Set(site.results)).toEqual(new Set(['accepted reference-values.missing', 'accepted']))
  })

  it.each(['listener', 'package-drift', 'tampered-boot', 'clone', 'rollback'] as const)(
    'has one gateway found out: %s',
    async (name) => {
      const site = await siteOf()
      const fleet = await site.play(SCENARIOS[name])
      await expectFindings(site, first(fleet), SCENARIOS[name])
    },
  )

  it('has all gateways found that a release has reached, while nobody has approved it, and none else', async () => {
    const site = await siteOf()
    const fleet = await site.play(SCENARIOS['roll-out'])
    await expectFindings(site, chosen(fleet, 0.9), SCENARIOS['roll-out'])
  })

  it('counts what is replayed once', async () => {
    const site = await siteOf()
    await site.play(SCENARIOS.replay)
    await expectFindings(site, new Set(), SCENARIOS.replay)
    expect(site.results).toContain('duplicate')
  })

  it('comes back in a storm with its backlog, and loses nothing', async () => {
    const site = await siteOf()
    const fleet = await site.play(SCENARIOS['reconnect-storm'])
    await expectFindings(site, new Set(), SCENARIOS['reconnect-storm'])
    expect(site.results.filter((result) => result === 'accepted freshness.late').length).toBeGreaterThan(COUNT * 6)
    const { made, receipted } = fleet.statistics.summary
    expect(made - receipted).toBeLessThanOrEqual(2 * COUNT)
  })

  it('comes back from an outage at the pace of NB-IoT, a window an hour', async () => {
    const scenario: Scenario = {
      ...SCENARIOS.outage,
      durationSeconds: 24 * HOUR,
      steps: [
        {
          atSeconds: 5 * HOUR,
          gateways: { from: 0, to: 1 / 3 },
          change: { kind: 'offline', seconds: 9 * HOUR, back: 'spread' },
        },
      ],
    }
    const site = await siteOf()
    const fleet = await site.play(scenario, { networks: { 'nb-iot': 1 }, approveAtSeconds: 4 * HOUR })
    await expectFindings(site, new Set(), scenario)
    const { made, receipted } = fleet.statistics.summary
    expect(made).toBeLessThan(COUNT * 25)
    expect(made - receipted).toBeLessThanOrEqual(2 * COUNT)
  })
})
