import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { pino, type Logger } from 'pino'
import { startCollector, type Collector } from '../../collector/app.ts'
import { loadCollectorConfig } from '../../collector/config/load.ts'
import type { Device } from '../../collector/model/device.ts'
import { makeId } from '../../collector/store/ids.ts'
import { openStore, type OpenStore, type Store, type StoreLocation } from '../../collector/store/index.ts'
import { verifyCertificateRequest } from '../../collector/trust/certificate-request.ts'
import { issueDeviceCertificate } from '../../collector/trust/device-certificates.ts'
import { loadOrCreateKeys, type CollectorKeys } from '../../collector/trust/keys.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { coseKeyThumbprint } from '../../shared/cose/key.ts'
import { ed25519Key, hash, random } from '../../shared/crypto/node.ts'
import { openEpoch } from '../../shared/evidence/epoch.ts'
import { isResultMessage } from '../../shared/evidence/result-message.ts'
import { downTopic, epochTopic, upstreamTopic } from '../../shared/evidence/topics.ts'
import { certificateRequest } from './certificate-request.ts'
import { SoftwareDevice } from './software-device.ts'

export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

export const SILENT: Logger = pino({ level: 'silent' })

/** What a collector on this machine is started with: loopback, and ports that the system chooses. */
export const settingsIn = (directory: string, ...more: readonly string[]): string[] => [
  `data.directory=${join(directory, 'data')}`,
  `trust.ek_roots_directory=${join(directory, 'ek-roots')}`,
  'http.host=127.0.0.1',
  'http.port=0',
  'metrics.port=0',
  'mqtt.listen_host=127.0.0.1',
  'mqtt.listen_port=0',
  ...more,
]

/** The collector's database and keys, from beside it: to enrol devices without a TPM's ceremony, and to look. */
export class Workbench {
  readonly store: Store
  readonly keys: CollectorKeys
  productId = ''
  readonly #open: OpenStore

  constructor(open: OpenStore, keys: CollectorKeys) {
    this.#open = open
    this.store = open.store
    this.keys = keys
  }

  static async open(directory: string, location?: StoreLocation): Promise<Workbench> {
    const dataDirectory = join(directory, 'data')
    const keys = await loadOrCreateKeys({ dataDirectory, now: Date.now(), random })
    const bench = new Workbench(await openStore(location ?? { path: join(dataDirectory, 'collector.db') }), keys)
    bench.productId = makeId('prd', Date.now(), random)
    const policies = { identityPolicy: 'tofu', approvalPolicy: 'manual' } as const
    const product = { id: bench.productId, vendor: 'Acme', model: `GW-${bench.productId}`, createdAt: Date.now() }
    await bench.store.products.create({ ...product, ...policies })
    return bench
  }

  get ca(): string {
    return this.keys.authority.certificate
  }

  async tlsIdentity(device: SoftwareDevice): Promise<TlsIdentity & { keyHash: Uint8Array }> {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { certificate, keyHash } = await issueDeviceCertificate(this.keys.authority, {
      ueid: device.ueid,
      key: verifyCertificateRequest(certificateRequest(pair)),
      now: Date.now(),
      lifetimeMs: 86_400_000,
      random,
    })
    return { key: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), cert: certificate, keyHash }
  }

  async enrol(over: Partial<Device> = {}): Promise<ConnectedDevice> {
    const device = new SoftwareDevice({ collectorId: this.keys.collectorId })
    const tls = await this.tlsIdentity(device)
    await this.store.devices.insert(device.enrolled(this.productId, { tlsKeyHash: tls.keyHash, ...over }))
    return new ConnectedDevice(device, tls, this)
  }

  /** `session sequence` of all evidence that is counted for the device. */
  async counted(device: SoftwareDevice): Promise<readonly string[]> {
    const row = await this.store.devices.byUeid(device.ueid)
    if (row === undefined) throw new Error('not enrolled')
    const { items } = await this.store.evidenceRuns.list(row.id, { limit: 500 })
    return items
      .flatMap(({ session, firstSeq, lastSeq }) =>
        Array.from({ length: lastSeq - firstSeq + 1 }, (_, index) => `${toHex(session)} ${firstSeq + index}`),
      )
      .sort()
  }

  close(): Promise<void> {
    return this.#open.close()
  }
}

/** A device with its connection to a broker. What it has sent it keeps, as an outbox does, until there is a receipt. */
export class ConnectedDevice {
  readonly device: SoftwareDevice
  readonly tls: TlsIdentity
  readonly #bench: Workbench
  readonly outbox = new Map<string, Uint8Array>()
  /** Topics of everything that the broker has delivered. */
  readonly delivered: string[] = []
  receipts = 0
  client: MqttClient | undefined

  constructor(device: SoftwareDevice, tls: TlsIdentity, bench: Workbench) {
    this.device = device
    this.tls = tls
    this.#bench = bench
  }

  /** Connects and waits for the epoch. */
  async connect(port: number, over: IClientOptions = {}): Promise<MqttClient> {
    const { device } = this
    const client = await connectDevice(port, this.#bench.ca, this.tls, { clientId: device.ueid, ...over })
    this.client = client
    let known: () => void = () => undefined
    const epoch = new Promise<void>((resolve) => {
      known = resolve
    })
    client.on('message', (topic, payload) => {
      this.delivered.push(topic)
      if (topic === downTopic(device.ueid)) this.#receive(payload)
      if (topic !== epochTopic) return
      const { publicKey } = this.#bench.keys
      const thumbprint = coseKeyThumbprint(publicKey, hash)
      device.nonce = openEpoch(payload, { key: ed25519Key(publicKey.x), thumbprint }).nonce
      known()
    })
    await client.subscribeAsync([downTopic(device.ueid), epochTopic], { qos: 1 })
    await epoch
    return client
  }

  #receive(payload: Uint8Array): void {
    const { device } = this
    if (isResultMessage(payload)) return
    const message = device.open(payload, this.#bench.keys.receiptKeyOf(device.ueid, device.thumbprint))
    if (message.role !== 'receipt') return
    this.receipts++
    for (const { session, contiguousTo, extra } of message.receipt.sessions) {
      for (const name of this.outbox.keys()) {
        const [id, sequence] = name.split(' ')
        const number = Number(sequence)
        if (id === toHex(session) && (number <= contiguousTo || extra.includes(number))) this.outbox.delete(name)
      }
    }
  }

  /** Makes the next evidence, in answer to the newest epoch. */
  async make(): Promise<string> {
    const { bytes, sequence } = await this.device.report()
    const name = `${toHex(this.device.session)} ${sequence}`
    this.outbox.set(name, bytes)
    return name
  }

  /** Sends everything that has no receipt; resolves when the broker has taken it. */
  async flush(): Promise<void> {
    const topic = upstreamTopic(this.device.ueid, 'evidence')
    const messages = [...this.outbox.values()]
    await Promise.all(messages.map((bytes) => this.client?.publishAsync(topic, Buffer.from(bytes), { qos: 1 })))
  }

  /** Sends what was made last, as an agent does between two times at which it sends everything again. */
  async sendNewest(): Promise<void> {
    const bytes = [...this.outbox.values()].at(-1)
    if (bytes === undefined) return
    await this.client?.publishAsync(upstreamTopic(this.device.ueid, 'evidence'), Buffer.from(bytes), { qos: 1 })
  }

  async sendContent(): Promise<void> {
    for (const id of this.device.sections.keys()) {
      for (const part of await this.device.parts(id, { deflate: true })) {
        await this.client?.publishAsync(upstreamTopic(this.device.ueid, 'section'), Buffer.from(part), { qos: 1 })
      }
    }
  }

  async end(): Promise<void> {
    await this.client?.endAsync(true)
  }
}

/** Rejects when the broker ends the connection instead of accepting it. */
export function connectDevice(
  port: number,
  ca: string,
  tls: Partial<TlsIdentity>,
  over: IClientOptions,
): Promise<MqttClient> {
  const client = connect(`mqtts://127.0.0.1:${port}`, {
    ca,
    ...tls,
    protocolVersion: 4,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: 5_000,
    ...over,
  })
  client.on('error', () => undefined)
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client))
    client.once('close', () => {
      client.end(true)
      reject(new Error('the broker ended the connection'))
    })
  })
}

export async function runCollector(directory: string, ...more: readonly string[]): Promise<Collector> {
  const { values } = loadCollectorConfig({ set: settingsIn(directory, ...more) }, {})
  return startCollector({ config: values, logger: SILENT, version: '0.0.0-test' })
}

export const pem = (path: string): string => readFileSync(path, 'utf8')
