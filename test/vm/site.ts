import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiClient, type ApiClient } from '../../deploy/preview/api-client.ts'
import { startChild, type Child } from '../../deploy/preview/child.ts'
import { makeToken } from '../../deploy/preview/collector.ts'
import { authorityFiles } from '../../deploy/preview/manufacture-tpm.ts'
import { freePort } from '../support/mosquitto.ts'
import { shippedMosquitto, type ShippedMosquitto } from '../support/shipped-mosquitto.ts'

/** This machine's loopback, as a guest with qemu's user-mode network sees it. */
export const HOST = '10.0.2.2'

export interface SiteOptions {
  readonly repository: string
  readonly directory: string
  /** State of the TPM whose vendor is trusted. */
  readonly tpm: string
}

/** A collector and mosquitto with the shipped configuration, on this machine's loopback. */
export class Site {
  readonly port: number
  /** Of two persons, as releases want it. */
  readonly author: ApiClient
  readonly approver: ApiClient
  readonly #options: SiteOptions
  readonly #environment: Record<string, string>
  readonly #broker: ShippedMosquitto
  readonly #token: string
  #collector: Child | undefined

  private constructor(
    options: SiteOptions,
    environment: Record<string, string>,
    broker: ShippedMosquitto,
    tokens: readonly [string, string],
  ) {
    const [author, approver] = tokens
    this.#options = options
    this.#environment = environment
    this.#broker = broker
    this.port = Number(environment['KEEPSEAL_COLLECTOR_HTTP__PORT'])
    const client = (token: string): ApiClient => createApiClient(this.#url, this.authorityFile, token)
    this.#token = author
    this.author = client(author)
    this.approver = client(approver)
  }

  static async start(options: SiteOptions): Promise<Site> {
    const { repository, directory, tpm } = options
    const roots = join(directory, 'ek-roots')
    mkdirSync(roots, { recursive: true })
    for (const [i, file] of authorityFiles(tpm).entries()) copyFileSync(file, join(roots, `software-tpm-${i}.pem`))
    const [https, metrics] = [await freePort(), await freePort()]
    const certificates = join(directory, 'broker')
    const data: Record<string, string> = { KEEPSEAL_COLLECTOR_DATA__DIRECTORY: join(directory, 'data') }
    runProgram(repository, data, [
      'broker-certificate',
      '--directory',
      certificates,
      '--host',
      HOST,
      '--host',
      '127.0.0.1',
    ])
    const broker = await shippedMosquitto(certificates, { shipped: join(repository, 'deploy', 'mosquitto') })
    await broker.start()
    const environment = {
      ...data,
      ...settings({
        HTTP__HOST: '127.0.0.1',
        HTTP__PORT: https,
        HTTP__PUBLIC_URL: `https://${HOST}:${https}`,
        METRICS__PORT: metrics,
        MQTT__BROKER: `mqtts://127.0.0.1:${broker.port}`,
        MQTT__PUBLIC_URL: `mqtts://${HOST}:${broker.port}`,
        MQTT__CA_FILE: join(certificates, 'ca.pem'),
        MQTT__CLIENT_CERTIFICATE_FILE: join(certificates, 'keepseal-collector.pem'),
        MQTT__CLIENT_KEY_FILE: join(certificates, 'keepseal-collector-key.pem'),
        TRUST__EK_ROOTS_DIRECTORY: roots,
        FRESHNESS__EPOCH_PERIOD_SECONDS: 30,
        FRESHNESS__WINDOW_SECONDS: 300,
        LIVENESS__REPORT_INTERVAL_SECONDS: 20,
        LIVENESS__STALE_INTERVALS: 4,
        LIVENESS__SILENT_AFTER_SECONDS: 120,
        RECEIPTS__MIN_INTERVAL_SECONDS: 10,
        STORE__KEEP_ONE_IN: 1,
      }),
    }
    runProgram(repository, environment, ['migrate'])
    const token = (name: string): string => makeToken(repository, 'operator', environment, name)
    const site = new Site(options, environment, broker, [token('Ada'), token('Grace')])
    await site.startCollector()
    return site
  }

  get authorityFile(): string {
    return join(this.#options.directory, 'data', 'keys', 'device-ca.pem')
  }

  get #url(): string {
    return `https://localhost:${this.port}`
  }

  async startCollector(): Promise<void> {
    const { repository, directory } = this.#options
    const logFile = join(directory, 'collector.log')
    const serve = { program: 'collector/main.js', arguments: ['serve'], environment: this.#environment, logFile }
    this.#collector = startChild(repository, serve)
    for (let tries = 0; tries < 300; tries++) {
      const isUp =
        existsSync(this.authorityFile) &&
        (await this.author.get('/products').then(
          () => true,
          () => false,
        ))
      if (isUp) return
      await sleep(200)
    }
    throw new Error(`the collector does not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
  }

  async stopCollector(): Promise<void> {
    await this.#collector?.stop()
  }

  async stop(): Promise<void> {
    await this.stopCollector()
    await this.#broker.kill()
  }

  /** The command for people. */
  keepseal(...words: readonly string[]): { readonly status: number | null; readonly output: string } {
    const program = join(this.#options.repository, 'dist', 'collector', 'cli', 'client', 'main.js')
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        KEEPSEAL_URL: this.#url,
        KEEPSEAL_TOKEN: this.#token,
        KEEPSEAL_CA_FILE: this.authorityFile,
      },
    })
    return { status, output: `${stdout}${stderr}` }
  }
}

const settings = (values: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`KEEPSEAL_COLLECTOR_${key}`, String(value)]))

function runProgram(repository: string, environment: Record<string, string>, words: readonly string[]): void {
  const program = join(repository, 'dist', 'collector', 'main.js')
  const { status, stderr } = spawnSync(process.execPath, [program, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  if (status !== 0) throw new Error(`keepseal-collector ${words.join(' ')}: ${stderr}`)
}
