import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { loadAgentConfig } from '../../agent/config/load.ts'
import { openAgent, type OpenAgent } from '../../agent/open-agent.ts'
import { deviceSigner } from '../../agent/state/device-key.ts'
import { saveIdentity } from '../../agent/state/identity.ts'
import { ProgressFile } from '../../agent/state/progress.ts'
import { statePaths } from '../../agent/state/paths.ts'
import { MqttChannel } from '../../agent/transport/mqtt-channel.ts'
import { random } from '../../shared/crypto/node.ts'
import { identityMaterial } from '../agent/state/identity-sample.ts'
import { ed25519Signer } from './node-signer.ts'
import { SoftwareDevice } from './software-device.ts'
import type { Workbench } from './test-collector.ts'

/** An agent that measures when it is told to. */
export class RunningGateway {
  readonly #root: string
  readonly #stateDirectory: string
  readonly #port: number
  readonly device = new SoftwareDevice()
  #open: OpenAgent | undefined
  #channel: MqttChannel | undefined
  #inbound: Promise<unknown> = Promise.resolve()

  /** What the agent has logged, but for debugging. */
  readonly logged: string[] = []
  readonly #settings: readonly string[]

  /** `port`: of the broker on this machine; `scratch`: gives empty directories. `settings`: further ones of the agent. */
  constructor(
    port: number,
    scratch: () => string,
    { stateDirectory = scratch(), settings = [] }: { stateDirectory?: string; settings?: readonly string[] } = {},
  ) {
    this.#port = port
    this.#root = scratch()
    this.#stateDirectory = stateDirectory
    this.#settings = settings
    mkdirSync(join(this.#root, 'proc/sys/kernel/random'), { recursive: true })
    writeFileSync(join(this.#root, 'proc/sys/kernel/random/boot_id'), `${randomUUID()}\n`)
    writeFileSync(join(this.#root, 'proc/uptime'), '100.00 90.00\n')
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

  /** With which its agent is started. */
  get settings(): readonly string[] {
    return [`state.directory=${this.#stateDirectory}`, `host.root=${this.#root}`, 'tpm.tcti=none']
  }

  get agent(): OpenAgent['agent'] {
    if (this.#open === undefined) throw new Error('not started')
    return this.#open.agent
  }

  get waiting(): number {
    return this.#open?.unsent.outbox.entries.length ?? 0
  }

  get dropped(): number {
    return this.#open?.unsent.outbox.droppedCount ?? 0
  }

  async start(): Promise<void> {
    await this.startOffline()
    this.connect()
  }

  async disconnect(): Promise<void> {
    await this.#channel?.close()
    await this.#inbound
    this.#channel = undefined
    this.agent.disconnected()
  }

  async startOffline(): Promise<void> {
    const log = (text: string): void => void this.logged.push(text)
    const set = [...this.settings, ...this.#settings]
    const logs = { debug: () => undefined, info: log, warn: log, error: log }
    this.#open = await openAgent(loadAgentConfig({ set }, {}).values, logs)
  }

  connect(): void {
    if (this.#open === undefined) throw new Error('not started')
    const { agent, identity } = this.#open
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
        onDown: (bytes) =>
          take(async () => {
            await agent.downArrived(bytes, false)
            if (agent.challengeDueMs === 0) await agent.measure()
          }),
      },
    })
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
