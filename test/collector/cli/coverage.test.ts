import { describe, expect, it } from 'vitest'
import { PracticeFleet } from '../../support/practice-fleet.ts'
import { useCollector } from './support.ts'

const person = { tokenId: 'api_c', name: 'Ada' }

describe('the coverage of devices', () => {
  const collector = useCollector()

  /** Five that are covered, three that run what nobody has explained. */
  async function fleetOf() {
    const fleet = await PracticeFleet.certified(collector().store)
    const assessed = { activatedAt: fleet.now - 1000, countersigned: { by: person, at: fleet.now } }
    await fleet.add(5, fleet.runs(await fleet.release('1.0', 1, assessed)))
    await fleet.add(3, {})
    await fleet.evaluate()
    return fleet
  }
  const fits = (text: string): void => {
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  }

  it('is a column of the list of devices, counted below it, and what the list can be asked for', async () => {
    const { run } = collector()
    const { devices } = await fleetOf()
    const all = await run('auditor', 'device', 'list')
    fits(all.stdout)
    expect(all.stdout).toMatch(/COVERED[^]* no [^]* yes /)
    expect(all.stderr).toContain('5 of 8 active units covered; not covered: release-unknown 3')
    fits(all.stderr)
    const uncovered = await run('auditor', 'device', 'list', '--coverage', 'not-covered', '--json')
    const shown = JSON.parse(uncovered.stdout)
    expect(shown.items.map(({ ueid }: { ueid: string }) => ueid).sort()).toEqual(
      devices
        .slice(5)
        .map(({ ueid }) => ueid)
        .sort(),
    )
    expect(shown.coverage).toMatchObject({
      covered: 5,
      notCovered: 3,
      reasons: [{ reason: 'release-unknown', units: 3 }],
    })
    const count = async (asked: string) =>
      JSON.parse((await run('auditor', 'device', 'list', '--coverage', asked, '--json')).stdout).items.length
    expect([await count('covered'), await count('release-unknown'), await count('suspended')]).toEqual([5, 3, 0])
    expect(await run('auditor', 'device', 'list', '--coverage', 'perhaps')).toMatchObject({ code: 2 })
  })

  it('is said of one device with what its reason means', async () => {
    const { run } = collector()
    const { devices } = await fleetOf()
    const { stdout } = await run('auditor', 'device', 'show', devices.at(-1)?.ueid ?? '')
    fits(stdout.replaceAll(/[0-9a-f]{64}/g, ''))
    expect(stdout).toContain('not-covered, release-unknown, crt_1')
    expect(stdout).toContain('no release explains what it reports')
  })

  it('is shown with a certificate, beside how it is kept', async () => {
    const { run } = collector()
    await fleetOf()
    const { code, stdout } = await run('auditor', 'certificate', 'show', 'crt_1')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^conformity +\w+/m)
    expect(stdout).toContain('Acme/Gate 7: ')
    expect(stdout).toContain('5 of 8 active units covered; not covered: release-unknown 3')
    const json = JSON.parse((await run('auditor', 'certificate', 'show', 'crt_1', '--json')).stdout)
    expect(json.live).toMatchObject([{ product: 'Acme/Gate 7', covered: 5, notCovered: 3 }])
    expect(json.practices).toHaveLength(2)
  })
})
