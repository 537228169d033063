import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PracticeFleet } from '../../support/practice-fleet.ts'
import { goodPosture } from '../../support/postures.ts'
import { NOW } from '../store/samples.ts'
import { useCollector } from './support.ts'

let now = NOW
const collector = useCollector(undefined, () => now)

const { packages, system } = goodPosture()
const withAgent = (version: string) => ({
  system: { ...system, os: { value: { id: 'debian', versionId: '12' } } },
  packages: { ...packages, packages: [{ name: 'openssl', version }], total: 1 },
})

test('practice status shows Patch Management moved by a fleet that patches late, and back', async () => {
  const { store, run, directory } = collector()
  const fleet = await PracticeFleet.certified(store)
  const release = await fleet.release('1.0', 1)
  const old = await fleet.posture(withAgent('3.0.16-1'))
  const units = await fleet.add(10, { postureDigest: old, ...fleet.runs(release) })
  const days = async (count: number): Promise<void> => {
    await fleet.days(count, 'patch-management')
    now = fleet.now
  }
  const status = async () => {
    const { code, stdout } = await run('auditor', 'practice', 'status', '--product', fleet.product.model)
    const row = stdout.split('\n').find((line) => line.startsWith('patch ')) ?? ''
    expect(row.length).toBeLessThanOrEqual(80)
    return { code, conformity: row.split(/ +/)[3], row }
  }

  await days(2)
  expect(await status()).toMatchObject({ code: 0, conformity: 'conforming' })

  const file = join(directory, 'acme-1.json')
  const about = ['--package', 'openssl', '--ecosystem', 'Debian:12', '--fixed', '3.0.17-1', '--severity', 'critical']
  const when = ['--published', new Date(now).toISOString(), '--summary', 'a lock that opens', '--out', file]
  expect(await run('vendor', 'advisory', 'new', 'ACME-1', ...about, ...when)).toMatchObject({ code: 0 })
  expect(await run('vendor', 'advisory', 'import', file)).toMatchObject({ code: 0 })

  // Not late yet: what is open is no fault before the time is over that was agreed.
  await days(1)
  expect(await status()).toMatchObject({ conformity: 'conforming' })
  await days(35)
  const late = await status()
  expect(late).toMatchObject({ code: 1, conformity: 'drift' })
  expect(late.row).toMatch(/critical/i)

  const fixed = await fleet.posture(withAgent('3.0.17-1'))
  for (const unit of units) await fleet.set(unit, { postureDigest: fixed, ...fleet.runs(release) })
  await run('vendor', 'advisory', 'import', file)
  await days(66)
  expect(await status()).toMatchObject({ code: 0, conformity: 'conforming' })
  const shown = JSON.parse(
    (await run('auditor', 'advisory', 'list', '--product', fleet.product.model, '--json')).stdout,
  )
  expect(shown.items).toEqual([])
}, 300_000)
