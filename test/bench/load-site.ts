import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { connectAsync, type MqttClient } from 'mqtt'
import { KeyCache } from '../../collector/ingest/known-devices.ts'
import { openStore } from '../../collector/store/index.ts'
import { approveDevice } from '../../collector/tracking/approval.ts'
import { loadOrCreateKeys } from '../../collector/trust/keys.ts'
import { enrolIntoStore, type StoredFleet } from '../../deploy/simulator/enrol/into-store.ts'
import type { UpstreamMessage } from '../../deploy/simulator/gateway.ts'
import { ueidOf } from '../../deploy/simulator/keys/gateway-keys.ts'
import { FleetSeed } from '../../deploy/simulator/keys/seed.ts'
import { random } from '../../shared/crypto/node.ts'
import type { EpochMessage } from '../../shared/evidence/epoch.ts'
import { brokerFor } from '../support/broker-site.ts'
import { IngestingCollector, PERIOD_MS } from '../support/ingesting-collector.ts'
import { freePort } from '../support/mosquitto.ts'
import { cpuMsOf } from '../support/process-cpu.ts'
import { settingsIn } from '../support/test-collector.ts'

const CONNECTIONS = 4
/** Publishes of one connection that the broker has not acknowledged yet. */
const UNDER_WAY = 500

/** A collector as a process with SQLite and mosquitto beside it, whose devices this process plays. */
export class LoadSite {
  readonly collector: IngestingCollector
  readonly fleet: StoredFleet
  readonly #directory: string
  readonly #broker: Awaited<ReturnType<typeof brokerFor>>
  readonly #close: () => Promise<void>
  readonly #clients: MqttClient[] = []
  readonly #rows: Sqlite.Database
  #child: ChildProcess | undefined
  #metrics = 0

  private constructor(
    directory: string,
    broker: Awaited<ReturnType<typeof brokerFor>>,
    collector: IngestingCollector,
    fleet: StoredFleet,
    close: () => Promise<void>,
  ) {
    this.#directory = directory
    this.#broker = broker
    this.collector = collector
    this.fleet = fleet
    this.#close = close
    this.#rows = new Sqlite(join(directory, 'data', 'collector.db'), { readonly: true })
  }

  static async open(repository: string, devices: number, begin: number): Promise<LoadSite> {
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-load-'))
    const names = Array.from({ length: CONNECTIONS }, (_, index) => `keepseal-collector-${index + 1}`)
    const rules = names.map(
      (name) =>
        `\nuser ${name}\ntopic write keepseal/v1/+/evidence\ntopic write keepseal/v1/+/section\ntopic read keepseal/v1/+/down\n`,
    )
    const broker = await brokerFor(directory, CONNECTIONS + 1, {
      rules: rules.join(''),
      shipped: join(repository, 'deploy', 'mosquitto/'),
    })
    const keys = await loadOrCreateKeys({ dataDirectory: join(directory, 'data'), now: begin, random })
    const { store, close } = await openStore({ path: join(directory, 'data', 'collector.db') })
    const collector = new IngestingCollector(store, keys, {
      keys: new KeyCache(1_000),
      history: { keepOneIn: 288 },
    })
    collector.now = begin
    await collector.product()
    const product = { id: collector.productId, vendor: 'Acme', model: `GW-${collector.productId}` }
    const fleet: StoredFleet = { seed: new FleetSeed('load'), product, now: begin }
    await enrolIntoStore(store, fleet, devices)
    return new LoadSite(directory, broker, collector, fleet, close)
  }

  /** An epoch that was issued then, at the collector's clock. */
  async epochAt(issuedAt: number): Promise<EpochMessage> {
    const { store, deps } = this.collector
    const nonce = random(32)
    const { number } = await store.epochs.insert({ nonce, issuedAt })
    const { collectorId } = deps.policy
    return { collectorId, number, nonce, issuedAt: Math.floor(issuedAt / 1000), period: PERIOD_MS / 1000 }
  }

  /** First reports, taken in here; then a person approves for all what the first device reports. */
  async begin(messages: AsyncIterable<UpstreamMessage>, now: number): Promise<void> {
    this.collector.now = now
    let batch: UpstreamMessage[] = []
    const flush = async (): Promise<void> => {
      await this.collector.receive(...batch.map(({ topic, bytes }) => ({ topic, bytes, receivedAt: now })))
      batch = []
    }
    for await (const message of messages) {
      batch.push(message)
      if (batch.length >= 200) await flush()
    }
    await flush()
    const ueid = ueidOf(this.fleet.seed, 0)
    await approveDevice(this.collector.store, { ueid, scope: 'product', actor: 'api_bench', now, random })
  }

  /** Starts the collector and connects to its broker. `onDown`: what it sends to devices. */
  async start(
    repository: string,
    settings: readonly string[],
    onDown: (topic: string, bytes: Uint8Array) => void = () => undefined,
  ): Promise<void> {
    this.#metrics = await freePort()
    const [own = [], ...others] = this.#broker.settings
    const all = settingsIn(
      this.#directory,
      ...own,
      `metrics.port=${this.#metrics}`,
      'limits.device_messages_per_minute=100000',
      ...settings,
    )
    const program = join(repository, 'dist', 'collector', 'main.js')
    const set = all.flatMap((setting) => ['--set', setting])
    this.#child = spawn(process.execPath, [program, 'serve', ...set], { stdio: ['ignore', 'ignore', 'inherit'] })
    for (const [index, place] of others.entries()) {
      const path = (name: string): Buffer =>
        readFileSync(place.find((setting) => setting.startsWith(`${name}=`))?.slice(name.length + 1) ?? '')
      const client = await connectAsync(`mqtts://127.0.0.1:${this.#broker.broker.port}`, {
        ca: path('mqtt.ca_file'),
        cert: path('mqtt.client_certificate_file'),
        key: path('mqtt.client_key_file'),
        clean: true,
        protocolVersion: 5,
      })
      if (index === 0) {
        client.on('message', (topic, payload) => onDown(topic, payload))
        await client.subscribeAsync('keepseal/v1/+/down', { qos: 1 })
      }
      this.#clients.push(client)
    }
    await this.#untilReady()
  }

  async #untilReady(): Promise<void> {
    for (let waited = 0; waited < 60_000; waited += 100) {
      const ready = await fetch(`http://127.0.0.1:${this.#metrics}/readyz`).catch(() => undefined)
      if (ready?.status === 200) return
      await sleep(100)
    }
    throw new Error('the collector does not start')
  }

  /** Resolves when the broker has taken all of them; a device's go over one connection, in their order. */
  async publish(messages: readonly UpstreamMessage[]): Promise<void> {
    const shares = this.#clients.map((): UpstreamMessage[] => [])
    for (const message of messages)
      shares[Number.parseInt(message.topic.slice(-14, -9), 16) % shares.length]?.push(message)
    await Promise.all(
      shares.map(async (share, index) => {
        const client = this.#clients[index]
        for (let at = 0; at < share.length; at += UNDER_WAY) {
          const part = share.slice(at, at + UNDER_WAY)
          await Promise.all(part.map(({ topic, bytes }) => client?.publishAsync(topic, Buffer.from(bytes), { qos: 1 })))
        }
      }),
    )
  }

  /** Evidence that is counted in the database. */
  counted(): number {
    const row = this.#rows.prepare('select sum(last_seq - first_seq + 1) as counted from evidence_runs').get()
    return Number((row as { counted: number | null }).counted ?? 0)
  }

  rows(statement: string): readonly Record<string, unknown>[] {
    return this.#rows.prepare(statement).all() as Record<string, unknown>[]
  }

  /** Resolves when so many are counted. Rejects when nothing moves any more. */
  async untilCounted(wanted: number): Promise<void> {
    let [last, still] = [-1, 0]
    for (;;) {
      const counted = this.counted()
      if (counted >= wanted) return
      still = counted === last ? still + 1 : 0
      if (still > 300) throw new Error(`${wanted - counted} messages were not counted`)
      last = counted
      await sleep(100)
    }
  }

  /** Processor time of the collector and of the broker so far; the highest resident memory that the collector had. */
  usage(): { readonly cpuMs: number; readonly brokerCpuMs: number; readonly peakMib: number } {
    const pid = this.#child?.pid ?? 0
    const [, peak] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return {
      cpuMs: cpuMsOf(pid).own,
      brokerCpuMs: this.#broker.broker.cpuMs(),
      peakMib: Math.round(Number(peak) / 1024),
    }
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.endAsync(true)
    const child = this.#child
    if (child !== undefined && child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    }
    await this.#broker.broker.kill()
    this.#rows.close()
    await this.#close()
    rmSync(this.#directory, { recursive: true })
  }
}
