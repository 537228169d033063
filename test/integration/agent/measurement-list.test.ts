import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { openAgent, type OpenAgent } from '../../../agent/open-agent.ts'
import { deviceSigner } from '../../../agent/state/device-key.ts'
import { saveIdentity } from '../../../agent/state/identity.ts'
import { createAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { extendPcr, readPcrs } from '../../../agent/tpm/commands/pcrs.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { openStore, type OpenStore } from '../../../collector/store/index.ts'
import { approveDevice } from '../../../collector/tracking/approval.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import { signEpoch } from '../../../shared/evidence/epoch.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import type { State } from '../../../shared/evidence/state.ts'
import { encodePublicArea } from '../../../shared/tpm/public.ts'
import { identityMaterial, UEID } from '../../agent/state/identity-sample.ts'
import { binaryList, hashedData, pcr10Of, type ImaSpec } from '../../support/ima-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { SoftwareDevice } from '../../support/software-device.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'

/** The agent as it runs, a TPM that is one in all but its housing, and the collector's ingest: only the broker lacks. */

const scratch = useScratchDirectories('measurement-list')
const keys = useCollectorKeys()
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

let swtpm: SoftwareTpm
beforeAll(async () => {
  swtpm = await startSwtpm({ withEkCertificate: false })
})
afterAll(() => swtpm.stop())

class Gateway {
  readonly root = scratch()
  readonly stateDirectory = scratch()
  readonly listFile = join(this.root, 'binary_runtime_measurements')
  readonly collector: IngestingCollector
  readonly ueid = UEID
  readonly #down: Uint8Array[] = []
  specs: ImaSpec[] = []
  open: OpenAgent | undefined

  constructor(collector: IngestingCollector) {
    this.collector = collector
  }

  async enrol(): Promise<void> {
    const seed = random(32)
    const attestationKey = { kind: 'ecdsa-p256' as const, seed: random(32) }
    const { collectorId, publicKey } = keys()
    const { keyId } = deviceSigner(seed)
    await saveIdentity(
      this.stateDirectory,
      identityMaterial({
        ueid: this.ueid,
        deviceKeySeed: seed,
        receiptSecret: keys().receiptKeyOf(this.ueid, keyId),
        attestationKey,
        collector: { url: 'https://localhost', mqttUrl: 'mqtts://localhost', id: collectorId, publicKey },
      }),
    )
    const { publicArea, name } = await this.#withTpm((tpm) => createAttestationKey(tpm, attestationKey))
    const row = new SoftwareDevice().enrolled(this.collector.productId, {
      ueid: this.ueid,
      deviceKey: ed25519Signer(seed).x,
      deviceKeyThumbprint: keyId,
      tpm: { ekName: random(34), ekCertificate: null, akPublic: encodePublicArea(publicArea), akName: name },
    })
    await this.collector.store.devices.insert(row)
  }

  async #withTpm<T>(action: (tpm: Tpm) => Promise<T>): Promise<T> {
    const tpm = await openTpm(swtpm.tcti)
    try {
      return await action(tpm)
    } finally {
      await tpm.close()
    }
  }

  /** Firmware and kernel measure into the TPM, and the kernel begins its list with an aggregate over that. */
  async boot(): Promise<void> {
    await swtpm.restart()
    mkdirSync(join(this.root, 'proc/sys/kernel/random'), { recursive: true })
    writeFileSync(join(this.root, 'proc/sys/kernel/random/boot_id'), `${randomUUID()}\n`)
    writeFileSync(join(this.root, 'proc/uptime'), '100.00 90.00\n')
    const values = await this.#withTpm(async (tpm) => {
      for (let pcr = 0; pcr < 10; pcr++) await extendPcr(tpm, pcr, new Map([['sha256', sha256(Uint8Array.of(pcr))]]))
      return readPcrs(tpm, [{ bank: 'sha256', pcrs: Array.from({ length: 10 }, (_, pcr) => pcr) }])
    })
    const digest = Buffer.from(sha256(Buffer.concat([...(values.get('sha256')?.values() ?? [])])))
    this.specs = []
    await this.measure({ path: 'boot_aggregate', digest })
  }

  async measure(...specs: readonly ImaSpec[]): Promise<void> {
    await this.#withTpm(async (tpm) => {
      for (const spec of specs) {
        const digest = spec.violation === true ? new Uint8Array(32).fill(0xff) : sha256(hashedData(spec))
        await extendPcr(tpm, 10, new Map([['sha256', digest]]))
      }
    })
    this.specs.push(...specs)
    writeFileSync(this.listFile, binaryList(this.specs))
  }

  async start(): Promise<void> {
    const settings = [
      `state.directory=${this.stateDirectory}`,
      `host.root=${this.root}`,
      `tpm.tcti=${swtpm.tcti}`,
      'tpm.firmware_log_file=',
      `tpm.ima_log_file=${this.listFile}`,
    ]
    this.open = await openAgent(loadAgentConfig({ set: settings }, {}).values, SILENT)
    this.open.agent.connected({
      publish: async (topic, bytes) => {
        const { publications } = await this.collector.receive({ topic, bytes, receivedAt: this.collector.now })
        this.#down.push(...publications.map(({ bytes: message }) => message))
      },
    })
  }

  async stop(): Promise<void> {
    this.open?.agent.disconnected()
    await this.open?.lock.release()
    this.open = undefined
  }

  /** A new epoch, a report, and everything that follows from it. */
  async period(): Promise<void> {
    const agent = this.open?.agent
    const { number, nonce, issuedAt } = await this.collector.epoch()
    const epoch = { collectorId: keys().collectorId, number, nonce, issuedAt: Math.floor(issuedAt / 1000), period: 300 }
    await agent?.epochArrived(await signEpoch(epoch, keys().signer))
    await agent?.measure()
    await vi.waitFor(
      async () => {
        for (let message = this.#down.shift(); message !== undefined; message = this.#down.shift()) {
          await agent?.downArrived(message, true)
        }
        expect(this.open?.unsent.outbox.entries).toHaveLength(0)
      },
      { timeout: 20_000, interval: 20 },
    )
  }

  get state() {
    return this.#row().then(({ id }) => this.collector.store.devices.stateOf(id))
  }

  async #row() {
    const row = await this.collector.store.devices.byUeid(this.ueid)
    if (row === undefined) throw new Error('not enrolled')
    return row
  }

  /** Bytes of the newest evidence. */
  async newestSize(): Promise<number> {
    const { items } = await this.collector.store.evidence.list((await this.#row()).id, { limit: 1 })
    return items[0]?.bytes.length ?? 0
  }

  /** What the newest report says of the agent itself. */
  async newestState(): Promise<State> {
    const { items } = await this.collector.store.evidence.list((await this.#row()).id, { limit: 1 })
    return decodeEvidence(items[0]?.bytes ?? new Uint8Array(0)).claims.state
  }

  /** Number of evidences that are held. */
  async count(): Promise<number> {
    const { items } = await this.collector.store.evidence.list((await this.#row()).id, { limit: 200 })
    return items.length
  }

  async findings(): Promise<readonly string[]> {
    const open = await this.collector.store.findings.openOf((await this.#row()).id)
    return open.map(({ code, subject, state }) => `${code} ${subject} ${state}`)
  }

  approve() {
    const { store, now } = this.collector
    return approveDevice(store, { ueid: this.ueid, scope: 'device', actor: 'api_x', now, random })
  }
}

let opened: OpenStore
let gateway: Gateway
beforeEach(async () => {
  opened = await openStore({ path: join(scratch(), 'collector.db') })
  const collector = new IngestingCollector(opened.store, keys(), { receiptIntervalMs: 0 })
  await collector.product()
  gateway = new Gateway(collector)
  await gateway.boot()
  await gateway.enrol()
  await gateway.measure({ path: '/init' }, { path: '/usr/bin/gateway', template: 'ima-sig' })
  await gateway.start()
  await gateway.period()
  await gateway.approve()
  // The sections of the host: a report after them has all that it names.
  await gateway.period()
})
afterEach(async () => {
  await gateway.stop()
  await opened.close()
})

const expectVerified = async (verdict: string): Promise<void> => {
  expect(await gateway.state).toMatchObject({
    verdict,
    ima: { base: { entries: gateway.specs.length, pcr10: new Uint8Array(pcr10Of(gateway.specs)) } },
  })
}

test('the list that the kernel extended into a TPM is verified from agent to verdict, by suffixes', async () => {
  await expectVerified('affirming')
  await gateway.measure({ path: '/usr/bin/new' })
  await gateway.period()
  await expectVerified('affirming')
  await gateway.period()
  await gateway.period()
  expect(await gateway.newestSize()).toBeLessThanOrEqual(800)
  await gateway.measure({ path: '/var/log/x', violation: true })
  await gateway.period()
  await expectVerified('warning')
  expect(await gateway.findings()).toEqual(['ima.violation /var/log/x open'])
})

test('an agent that restarts goes on with the suffix, as its state tells what was receipted', async () => {
  await gateway.stop()
  await gateway.measure({ path: '/usr/bin/new' })
  await gateway.start()
  await gateway.period()
  await expectVerified('affirming')
})

test('each report tells what the agent took since the last one, and how often it was started', async () => {
  await gateway.measure({ path: '/usr/bin/new' })
  await gateway.period()
  const before = await gateway.newestState()
  expect(before.get('agent.restarts')).toBe(0)
  // The report before it was sent meanwhile, and costs processor time.
  expect(before.get('agent.bytes-sent')).toBeGreaterThan(500)
  expect(before.get('agent.cpu-ms')).toBeGreaterThan(0)
  await gateway.stop()
  await gateway.measure({ path: '/usr/bin/newer' })
  await gateway.start()
  await gateway.period()
  const after = await gateway.newestState()
  expect([after.get('agent.restarts'), after.get('agent.bytes-sent')]).toEqual([1, 0])
})

test('more entries than an evidence can carry travel as a content, which is not kept', async () => {
  await gateway.measure(...Array.from({ length: 600 }, (_, n) => ({ path: `/usr/lib/library-${n}` })))
  await gateway.period()
  await gateway.period()
  await expectVerified('affirming')
  const list = binaryList(gateway.specs.slice(3))
  expect(list.length).toBeGreaterThan(32 * 1024)
  expect(await opened.store.sections.has('Acme', sha256(list))).toBe(false)
})

test('what the kernel measures between the quote and the reading of the list is left for the next report', async () => {
  const later: ImaSpec = { path: '/usr/bin/later' }
  await gateway.measure({ path: '/usr/bin/new' })
  writeFileSync(gateway.listFile, binaryList([...gateway.specs, later]))
  await gateway.period()
  await expectVerified('affirming')
  await gateway.measure(later)
  await gateway.period()
  await expectVerified('affirming')
})

test('an agent that cannot read its list any more is asked, and not made to measure without end', async () => {
  await gateway.measure({ path: '/usr/bin/new' })
  rmSync(gateway.listFile)
  const before = await gateway.count()
  await gateway.period()
  await sleep(500)
  expect(await gateway.state).toMatchObject({ verdict: 'not-appraised', verdictCode: 'ima.entries-missing' })
  expect((await gateway.count()) - before).toBeLessThanOrEqual(2)
})

test('another boot has another list, and findings of the one before are over', async () => {
  await gateway.measure({ path: '/var/log/x', violation: true })
  await gateway.period()
  await gateway.stop()
  await gateway.boot()
  await gateway.measure({ path: '/init' })
  await gateway.start()
  await gateway.period()
  await gateway.period()
  await expectVerified('affirming')
  expect(await gateway.findings()).toEqual([])
})

test('an entry that somebody takes out of the list is missed', async () => {
  const { ima } = await gateway.state
  await gateway.measure({ path: '/tmp/miner' }, { path: '/usr/bin/new' })
  writeFileSync(gateway.listFile, binaryList([...gateway.specs.slice(0, 3), { path: '/usr/bin/new' }]))
  await gateway.period()
  expect(await gateway.state).toMatchObject({ verdict: 'contraindicated', latch: 'failed', ima: { base: ima?.base } })
  expect(await gateway.findings()).toEqual(['boot.ima-refused measurement list open'])
})

test('a collector that was restored gets what it lacks at once', async () => {
  const backup = await gateway.state
  await gateway.measure({ path: '/a' }, { path: '/b', content: randomBytes(8).toString('hex') })
  await gateway.period()
  const row = await opened.store.devices.byUeid(gateway.ueid)
  await opened.store.devices.saveState(row?.id ?? 0, { ...(await gateway.state), ima: backup.ima })
  await gateway.period()
  await vi.waitFor(() => expectVerified('affirming'), { timeout: 10_000 })
})
