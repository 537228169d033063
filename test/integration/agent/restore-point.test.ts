import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { openAgent, type OpenAgent } from '../../../agent/open-agent.ts'
import { deviceSigner } from '../../../agent/state/device-key.ts'
import { saveIdentity } from '../../../agent/state/identity.ts'
import { ProgressFile } from '../../../agent/state/progress.ts'
import { statePaths } from '../../../agent/state/paths.ts'
import { MqttChannel } from '../../../agent/transport/mqtt-channel.ts'
import type { Collector } from '../../../collector/app.ts'
import { backup, restore } from '../../../collector/store/backup/index.ts'
import { approveDevice } from '../../../collector/tracking/approval.ts'
import { random } from '../../../shared/crypto/node.ts'
import { signRestorePoint } from '../../../shared/evidence/restore-point.ts'
import { identityMaterial } from '../../agent/state/identity-sample.ts'
import { freePort } from '../../support/mosquitto.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { SoftwareDevice } from '../../support/software-device.ts'
import { runCollector, Workbench } from '../../support/test-collector.ts'

/** The agent and the collector as they run, broker and all, over a restore of the collector's database. */

const scratch = useScratchDirectories('restore-point')
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const gateways: Gateway[] = []
const collectors: Collector[] = []
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop()
  for (const collector of collectors.splice(0)) await collector.stop()
})

/** An agent that measures when it is told to. */
class Gateway {
  readonly #root = scratch()
  readonly #stateDirectory = scratch()
  readonly #port: number
  readonly device = new SoftwareDevice()
  #open: OpenAgent | undefined
  #channel: MqttChannel | undefined
  #inbound: Promise<unknown> = Promise.resolve()

  constructor(port: number) {
    this.#port = port
    mkdirSync(join(this.#root, 'proc/sys/kernel/random'), { recursive: true })
    writeFileSync(join(this.#root, 'proc/sys/kernel/random/boot_id'), `${randomUUID()}\n`)
    writeFileSync(join(this.#root, 'proc/uptime'), '100.00 90.00\n')
    gateways.push(this)
  }

  async enrol(bench: Workbench): Promise<void> {
    const { keys, store, productId, ca } = bench
    const { ueid } = this.device
    const seed = random(32)
    const { keyId } = deviceSigner(seed)
    const tls = await bench.tlsIdentity(this.device)
    const material = identityMaterial({
      ueid,
      assurance: 'software',
      deviceKeySeed: seed,
      receiptSecret: keys.receiptKeyOf(ueid, keyId),
      attestationKey: null,
      collector: {
        url: 'https://127.0.0.1',
        mqttUrl: `mqtts://127.0.0.1:${this.#port}`,
        id: keys.collectorId,
        publicKey: keys.publicKey,
      },
      tls: { privateKey: tls.key, certificate: tls.cert, certificateAuthority: ca },
    })
    await saveIdentity(this.#stateDirectory, material)
    const keysOfDevice = { deviceKey: ed25519Signer(seed).x, deviceKeyThumbprint: keyId, tlsKeyHash: tls.keyHash }
    await store.devices.insert(this.device.enrolled(productId, { ...keysOfDevice, tpm: null, identity: 'software' }))
  }

  get agent(): OpenAgent['agent'] {
    if (this.#open === undefined) throw new Error('not started')
    return this.#open.agent
  }

  get waiting(): number {
    return this.#open?.unsent.outbox.entries.length ?? 0
  }

  async start(): Promise<void> {
    const set = [`state.directory=${this.#stateDirectory}`, `host.root=${this.#root}`, 'tpm.tcti=none']
    const opened = await openAgent(loadAgentConfig({ set }, {}).values, SILENT)
    const { agent, identity } = opened
    const take = (action: () => Promise<unknown>): void => {
      this.#inbound = this.#inbound.then(action)
    }
    const channel = new MqttChannel({
      url: identity.collector.mqttUrl,
      ueid: identity.ueid,
      tls: identity.tls,
      protocol: '3.1.1',
      random: Math.random,
      backoff: { baseMs: 200, maxMs: 500 },
      events: {
        onConnected: () => agent.connected(channel),
        onDisconnected: () => agent.disconnected(),
        onEpoch: (bytes) => take(() => agent.epochArrived(bytes)),
        onRestorePoint: (bytes) => take(() => agent.restorePointArrived(bytes)),
        onDown: (bytes) => take(() => agent.downArrived(bytes, false)),
      },
    })
    this.#open = opened
    this.#channel = channel
    channel.start()
  }

  async stop(): Promise<void> {
    await this.#channel?.close()
    await this.#inbound
    await this.#open?.lock.release()
    this.#channel = undefined
    this.#open = undefined
  }

  async progress(): Promise<ProgressFile['current']> {
    const owner = { ueid: this.device.ueid, collectorId: this.#open?.identity.collector.id ?? new Uint8Array() }
    return (await ProgressFile.open(statePaths(this.#stateDirectory).progress, owner, () => undefined)).current
  }

  /** Another epoch than `last`, which evidence is then made for. */
  async epochAfter(last: number | null): Promise<number> {
    return vi.waitFor(
      () => {
        const { epoch } = this.agent.status
        if (epoch === null || epoch === last) throw new Error('no new epoch')
        return epoch
      },
      { timeout: 20_000, interval: 50 },
    )
  }

  async report(): Promise<void> {
    expect(await this.agent.measure()).toBeDefined()
  }

  async receipted(): Promise<void> {
    await vi.waitFor(() => expect(this.waiting).toBe(0), { timeout: 10_000, interval: 50 })
  }
}

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
  const [running, restarted] = [new Gateway(port), new Gateway(port)]
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
