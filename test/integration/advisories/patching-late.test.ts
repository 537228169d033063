import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import type { SectionContents, SectionId } from '../../../shared/posture/sections.ts'
import { useCollector } from '../../collector/cli/support.ts'
import { BrokeredCollector } from '../../support/brokered-collector.ts'
import { certifyByProfile } from '../../support/certified-profile.ts'
import { fileDigest } from '../../support/ima-builder.ts'
import { PERIOD_MS, START, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { MeasuringDevice } from '../../support/measuring-device.ts'
import { hasMosquitto, startMosquitto, type Mosquitto } from '../../support/mosquitto.ts'
import { createPki } from '../../support/pki.ts'
import { goodPosture } from '../../support/postures.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { ReleasedFleet } from '../../support/released-fleet.ts'
import type { Readings } from '../../support/software-device.ts'

/**
 * Gateways that do not exist report what they have, signed and quoted, over mosquitto, day after day. An advisory comes,
 * its fix is released at once, and the fleet takes it late: nothing here is set but what people do.
 */

const FILES = ['/init', '/usr/bin/gateway']
const UNITS = 4

/** A good posture of Debian 12 with an openssl of this version. */
function readings(version: string): Readings {
  const good = goodPosture()
  const contents: SectionContents = {
    ...good,
    system: { ...good.system, os: { value: { id: 'debian', versionId: '12' } } },
    packages: { ...good.packages, packages: [{ name: 'openssl', version }], total: 1 },
  }
  return Object.fromEntries(
    Object.entries(contents).map(([id, content]) => [
      id,
      { status: 'measured', content } as unknown as SectionReading<SectionId>,
    ]),
  ) as Readings
}

let now = START
const cli = useCollector(undefined, () => now)
const keys = useCollectorKeys()
const pki = createPki()
let broker: Mosquitto | undefined
let collector: BrokeredCollector | undefined
afterEach(async () => {
  await collector?.close()
  await broker?.stop()
})

const reason = hasMosquitto() ? '' : ' (skipped: mosquitto is not installed)'

test.skipIf(reason !== '')(
  `a fleet that patches late moves Patch Management to drift, and comes back${reason}`,
  async () => {
    const { store, run, directory } = cli()
    broker = await startMosquitto(pki)
    const over = new BrokeredCollector(store, keys(), broker, pki)
    collector = over
    await over.open()
    await over.product('Gate 7')
    await over.epoch()
    const product = await store.products.byId(over.productId)
    if (product === undefined) throw new Error('no product')
    await certifyByProfile(store, 'Acme/Gate 7', over.now / 1000)
    const allow = Object.fromEntries(FILES.map((path) => [path, [`sha256:${toHex(fileDigest({ path }))}`]]))
    const policy = JSON.stringify({ version: 1, allow, signers: [], excludes: [] })
    await store.imaPolicies.add({ productId: product.id, policy, createdAt: over.now, createdBy: 'api_x' })

    const units: MeasuringDevice[] = []
    for (let index = 0; index < UNITS; index++) {
      const device = await over.device({}, { identity: 'tpm-endorsed', certificateNotAfter: over.now + 3650 * DAY })
      device.readings = readings('3.0.16-1')
      const unit = new MeasuringDevice(over, device)
      unit.files(...FILES)
      units.push(unit)
    }
    const practices = PracticeFleet.of(store, product)
    const released = new ReleasedFleet(over)
    const report = async (unit: MeasuringDevice): Promise<void> => {
      const { result } = await unit.report()
      expect(result).toBe('accepted')
      await over.content(unit.device)
    }
    /** A day: an epoch, a report of each gateway, and an evaluation. */
    const days = async (count: number): Promise<void> => {
      for (let day = 0; day < count; day++) {
        over.now += DAY - PERIOD_MS
        for (const unit of units) unit.tpm.clockMs += BigInt(DAY)
        await over.epoch(...units.map(({ device }) => device))
        for (const unit of units) await report(unit)
        await computeExposures(store)
        now = over.now
        practices.now = now
        await practices.evaluate()
      }
    }
    const release = async (name: string, unit: MeasuringDevice): Promise<void> => {
      await released.release(await released.fileOf(name, unit.device), { windowMs: 400 * DAY })
    }
    const status = async () => {
      const { code, stdout } = await run('auditor', 'practice', 'status', '--product', 'Gate 7')
      const row = stdout.split('\n').find((line) => line.startsWith('patch ')) ?? ''
      return { code, conformity: row.split(/ +/)[3], row }
    }

    for (const unit of units) await report(unit)
    await release('1.0', units[0] ?? expect.fail())
    await days(2)
    const verdicts = async () => Promise.all(units.map(async ({ device }) => (await over.state(device)).verdict))
    expect(await verdicts()).toEqual(units.map(() => 'affirming'))
    expect(await status()).toMatchObject({ code: 0, conformity: 'conforming' })

    const file = join(directory, 'dsa.json')
    const at = new Date(now).toISOString()
    const events = [{ introduced: '0' }, { fixed: '3.0.17-1' }]
    const affected = [{ package: { ecosystem: 'Debian:12', name: 'openssl' }, ranges: [{ type: 'ECOSYSTEM', events }] }]
    const advisory = { id: 'DSA-1', published: at, modified: at, database_specific: { severity: 'critical' }, affected }
    writeFileSync(file, JSON.stringify(advisory))
    const imported = await run('vendor', 'advisory', 'import', file, '--feed', 'debian', '--of', 'distribution')
    expect(imported).toMatchObject({ code: 0 })
    expect((await run('auditor', 'advisory', 'show', 'DSA-1')).stdout).toContain(`${UNITS} devices: openssl`)

    // One gateway has it at once, and its state is what is released. The others wait.
    const [first, ...others] = units
    if (first === undefined) throw new Error('no unit')
    first.device.readings = readings('3.0.17-1')
    await report(first)
    await release('1.1', first)
    await days(1)
    expect(await verdicts()).toEqual(units.map(() => 'affirming'))
    expect(await status()).toMatchObject({ code: 0, conformity: 'conforming' })
    await days(35)
    const late = await status()
    expect(late).toMatchObject({ code: 1, conformity: 'drift' })
    expect(late.row).toMatch(/critical/i)

    for (const { device } of others) device.readings = readings('3.0.17-1')
    await days(1)
    expect((await run('auditor', 'advisory', 'show', 'DSA-1')).stdout).toContain('No device has')
    // What came late stays in the window of its signal, and then is over.
    await days(65)
    expect(await verdicts()).toEqual(units.map(() => 'affirming'))
    expect(await status()).toMatchObject({ code: 0, conformity: 'conforming' })
  },
  300_000,
)
