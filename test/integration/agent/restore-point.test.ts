import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import type { Collector } from '../../../collector/app.ts'
import { backup, restore } from '../../../collector/store/backup/index.ts'
import { approveDevice } from '../../../collector/tracking/approval.ts'
import { random } from '../../../shared/crypto/node.ts'
import { signRestorePoint } from '../../../shared/evidence/restore-point.ts'
import { freePort } from '../../support/mosquitto.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { RunningGateway } from '../../support/running-gateway.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { runCollector, Workbench } from '../../support/test-collector.ts'

/** The agent and the collector as they run, broker and all, over a restore of the collector's database. */

const scratch = useScratchDirectories('restore-point')
const gateways: RunningGateway[] = []
const collectors: Collector[] = []
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop()
  for (const collector of collectors.splice(0)) await collector.stop()
})

it('agents go on after a restore of the collector, and nobody is blamed for what it has lost', async () => {
  const directory = scratch()
  const port = await freePort()
  const serve = async (): Promise<Collector> => {
    const settings = [
      `mqtt.listen_port=${port}`,
      'freshness.epoch_period_seconds=10',
      'receipts.min_interval_seconds=0',
    ]
    const collector = await runCollector(directory, ...settings)
    collectors.push(collector)
    return collector
  }
  const path = join(directory, 'data', 'collector.db')
  const collector = await serve()
  let bench = await Workbench.open(directory)
  const { productId } = bench
  const [running, restarted] = [new RunningGateway(port, scratch), new RunningGateway(port, scratch)]
  gateways.push(running, restarted)
  for (const gateway of [running, restarted]) {
    await gateway.enrol(bench)
    await gateway.start()
    await gateway.epochAfter(null)
    await gateway.report()
    await gateway.receipted()
    await vi.waitFor(
      () =>
        approveDevice(bench.store, {
          ueid: gateway.device.ueid,
          scope: 'device',
          actor: 'api_x',
          now: Date.now(),
          random,
        }),
      { timeout: 10_000, interval: 200 },
    )
    await gateway.report()
    await gateway.receipted()
  }
  const file = join(scratch(), 'backup')
  await backup({ path }, file)

  // What the backup does not know: an epoch, reports, receipts, and a restart of one agent.
  await restarted.stop()
  await restarted.start()
  const lost = await running.epochAfter(running.agent.status.epoch)
  await restarted.epochAfter(lost - 1)
  for (const gateway of [running, restarted]) {
    for (let count = 0; count < 3; count++) await gateway.report()
    await gateway.receipted()
  }
  await bench.close()
  await collector.stop()
  collectors.length = 0
  // Measured while there is no collector, in answer to an epoch that nobody will know of.
  for (const gateway of [running, restarted]) await gateway.report()

  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const point = await restore({ path }, file, Date.now())
  expect(point.firstEpoch).toBeGreaterThan(lost)
  await serve()
  bench = await Workbench.open(directory)
  const { store, keys } = bench
  for (const gateway of [running, restarted]) {
    const epoch = await gateway.epochAfter(lost)
    expect(epoch).toBeGreaterThanOrEqual(point.firstEpoch)
    await vi.waitFor(async () => expect((await gateway.progress()).restorePoint).not.toBeNull(), 10_000)
    await gateway.report()
    await gateway.receipted()
    const row = await store.devices.byUeid(gateway.device.ueid)
    const id = row?.id ?? 0
    expect(await store.devices.stateOf(id)).toMatchObject({
      verdict: 'affirming',
      latch: 'none',
      lastFreshEpoch: epoch,
    })
    expect(await store.findings.openOf(id)).toEqual([])
    expect(await store.refusals.countsByCode({ ueid: gateway.device.ueid })).toEqual(new Map())
    // Receipts count from less than before, and are the newest nevertheless.
    const { lastReceipt } = await gateway.progress()
    expect(lastReceipt?.number).toBe((await store.receipts.latest(id))?.number)
  }
  // Three reports of each gateway were receipted and are lost: gaps in their sessions, and nobody's loss.
  expect(await store.fleet.reportNumbers(productId, 0)).toMatchObject({ missing: 0, restored: 6 })

  // Neither an older restore point nor a forged one changes anything any more.
  const known = await running.progress()
  const { number, firstEpoch } = point
  const message = { collectorId: keys.collectorId, restoredAt: 1, newestReceiptAt: null, firstEpoch: firstEpoch + 99 }
  const impostor = { ...ed25519Signer(random(32)).signer, keyId: keys.signer.keyId }
  for (const bytes of [
    await signRestorePoint({ ...message, number: number - 1 }, keys.signer),
    await signRestorePoint({ ...message, number }, keys.signer),
    await signRestorePoint({ ...message, number: number + 1 }, impostor),
  ]) {
    expect(await running.agent.restorePointArrived(bytes)).toBe(false)
  }
  expect(await running.progress()).toEqual(known)
  await vi.waitFor(async () => expect(await store.restorePoints.newest()).toMatchObject({ number: point.number }))
  await bench.close()
}, 120_000)
