import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockState } from '../../agent/state/lock.ts'
import { chooseTcti } from '../../agent/tpm/tcti.ts'
import { openTpm } from '../../agent/tpm/open.ts'
import { startChild, type Child } from './child.ts'
import { createApiClient, type ApiClient } from './api-client.ts'
import { choosePorts, type PreviewPorts } from './ports.ts'
import { simulateBoot } from './simulated-boot.ts'
import { startSwtpm, type SoftwareTpm } from './software-tpm.ts'

const INTERVAL_SECONDS = 10
const VENDOR = 'Example Works'
const MODEL = 'Preview Gateway'

interface DeviceJson {
  readonly ueid: string
  readonly verdict: string
  readonly verdictCode: string | null
  readonly lastFreshAt: string | null
}

/** `npm run preview`: a collector and this machine's own agent, until Ctrl-C. `repository` is where dist/ is. */
export async function preview(repository: string, say: (line: string) => void): Promise<void> {
  const home = join(repository, '.cache', 'preview')
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 })
  const lock = await lockState(home).catch(() => undefined)
  if (lock === undefined) {
    say('A preview of this clone is running already. End it with Ctrl-C where it was started.')
    return
  }
  const stops: (() => Promise<unknown>)[] = []
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop().catch(() => undefined)
  }
  let ended = false
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  }).then(() => {
    ended = true
  })
  try {
    await Promise.race([interrupted, start(repository, home, stops, say)])
    if (!ended) {
      say('Ctrl-C ends it. What it made stays in .cache/preview; delete that folder to begin anew.')
      await Promise.race([interrupted, childEnded])
    }
  } finally {
    await stopAll()
    await lock.release()
  }
  if (ended) say('Stopped.')
}

/** Rejects when a part ends by itself: a preview that has lost one of its halves must not look alive. */
let failChild: (error: Error) => void = () => undefined
const childEnded = new Promise<never>((_, reject) => {
  failChild = reject
})
childEnded.catch(() => undefined)

function supervise(name: string, child: Child, logFile: string, stops: (() => Promise<unknown>)[]): void {
  let stopping = false
  stops.push(() => {
    stopping = true
    return child.stop()
  })
  void child.ended.then((code) => {
    if (!stopping) failChild(new Error(`The ${name} ended with exit code ${code}. Its log: ${logFile}`))
  })
}

async function start(
  repository: string,
  home: string,
  stops: (() => Promise<unknown>)[],
  say: (line: string) => void,
): Promise<void> {
  const ports = await choosePorts(join(home, 'ports.json'))
  const tpm = await findTpm(home, ports, stops, say)
  const collectorEnvironment = collectorSettings(home, ports)
  const collectorLog = join(home, 'logs', 'collector.log')
  const collector = startChild(repository, {
    program: 'collector/main.js',
    arguments: ['serve'],
    environment: collectorEnvironment,
    logFile: collectorLog,
  })
  supervise('collector', collector, collectorLog, stops)
  const api = await connectApi(repository, home, ports, collectorEnvironment)
  say(`Collector with embedded broker and SQLite is running, port ${ports.https} and ${ports.mqtt}.`)

  const productId = await ensureProduct(api)
  await enrol(repository, home, ports, tpm, api, productId, say)
  const agentLog = join(home, 'logs', 'agent.log')
  const agent = startChild(repository, {
    program: 'agent/main.js',
    arguments: ['run'],
    environment: agentSettings(home, ports, tpm),
    logFile: agentLog,
    nodeFlags: ['--jitless'],
  })
  supervise('agent', agent, agentLog, stops)

  const started = Date.now()
  const device = await Promise.race([firstAttestation(api, started), childEnded])
  const approved = await approveFirst(api, device)
  say(`attestation verified: ${device.ueid}${approved ? ', approved as it is now' : `, ${device.verdict}`}`)
  writeCommands(repository, home, ports)
  say('')
  say(`  http://localhost:${ports.plain}/`)
  say('')
  say(`In another terminal: . .cache/preview/env, then: keepseal finding list`)
}

interface PreviewTpm {
  readonly tcti: string
  readonly firmwareLog: string
}

/** The TPM of this machine, else a private software TPM, else none: said aloud, because it changes what is proven. */
async function findTpm(
  home: string,
  ports: PreviewPorts,
  stops: (() => Promise<unknown>)[],
  say: (line: string) => void,
): Promise<PreviewTpm> {
  const found = chooseTcti(undefined)
  if (found !== undefined) {
    say('Using the TPM of this machine.')
    return { tcti: found, firmwareLog: '/sys/kernel/security/tpm0/binary_bios_measurements' }
  }
  try {
    const stateDirectory = join(home, 'software-tpm')
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
    const software = await startSwtpm({ stateDirectory, port: ports.tpm })
    stops.push(() => software.stop())
    trust(home, software)
    const firmwareLog = join(home, 'simulated-boot.bin')
    const tpm = await openTpm(software.tcti)
    try {
      await simulateBoot(tpm, firmwareLog)
    } finally {
      await tpm.close()
    }
    say('No TPM here: using a private software TPM, whose boot log is marked as simulated.')
    return { tcti: software.tcti, firmwareLog }
  } catch (error) {
    say(`No TPM here, and no software TPM (${error instanceof Error ? error.message : 'unknown reason'}).`)
    say('Going on with a software identity, which proves nothing about the boot.')
    return { tcti: 'none', firmwareLog: '' }
  }
}

/** The preview's own vendor of TPMs is trusted by the preview's own collector alone. */
function trust(home: string, software: SoftwareTpm): void {
  const roots = join(home, 'ek-roots')
  mkdirSync(roots, { recursive: true })
  for (const [i, file] of software.caCertificates.entries()) copyFileSync(file, join(roots, `software-tpm-${i}.pem`))
}

function collectorSettings(home: string, ports: PreviewPorts): Record<string, string> {
  mkdirSync(join(home, 'ek-roots'), { recursive: true })
  const settings = {
    DATA__DIRECTORY: join(home, 'collector'),
    HTTP__HOST: '127.0.0.1',
    HTTP__PORT: ports.https,
    HTTP__PUBLIC_URL: `https://localhost:${ports.https}`,
    HTTP__PLAIN: true,
    HTTP__PLAIN_PORT: ports.plain,
    MQTT__LISTEN_HOST: '127.0.0.1',
    MQTT__LISTEN_PORT: ports.mqtt,
    METRICS__PORT: ports.metrics,
    TRUST__EK_ROOTS_DIRECTORY: join(home, 'ek-roots'),
    FRESHNESS__EPOCH_PERIOD_SECONDS: 30,
    FRESHNESS__WINDOW_SECONDS: 60,
    LIVENESS__REPORT_INTERVAL_SECONDS: INTERVAL_SECONDS,
    LIVENESS__STALE_INTERVALS: 6,
  }
  return prefixed('KEEPSEAL_COLLECTOR_', settings)
}

function agentSettings(home: string, ports: PreviewPorts, tpm: PreviewTpm): Record<string, string> {
  return prefixed('KEEPSEAL_AGENT_', {
    COLLECTOR__URL: `https://localhost:${ports.https}`,
    COLLECTOR__CA_FILE: join(home, 'collector', 'keys', 'device-ca.pem'),
    STATE__DIRECTORY: join(home, 'agent'),
    REPORT__INTERVAL_SECONDS: INTERVAL_SECONDS,
    REPORT__JITTER_SECONDS: 0,
    REPORT__RESEND_SECONDS: 60,
    TPM__TCTI: tpm.tcti,
    TPM__FIRMWARE_LOG_FILE: tpm.firmwareLog,
    PRODUCT__VENDOR: VENDOR,
    PRODUCT__MODEL: MODEL,
    PRODUCT__HARDWARE_REVISION: 'A',
    PRODUCT__SERIAL: 'preview-1',
  })
}

function prefixed(prefix: string, settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(settings).filter(([key]) => key.includes('__'))
  return Object.fromEntries(entries.map(([key, value]) => [prefix + key, String(value)]))
}

const READY_TIMEOUT_MS = 60_000

async function connectApi(
  repository: string,
  home: string,
  ports: PreviewPorts,
  environment: Record<string, string>,
): Promise<ApiClient> {
  const caFile = join(home, 'collector', 'keys', 'device-ca.pem')
  const url = `https://localhost:${ports.https}`
  const deadline = Date.now() + READY_TIMEOUT_MS
  const waitUntil = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await Promise.race([condition(), childEnded]))) {
      if (Date.now() > deadline)
        throw new Error('The collector does not start. Its log: .cache/preview/logs/collector.log')
      await sleep(100)
    }
  }
  await waitUntil(async () => existsSync(caFile) && existsSync(join(home, 'collector', 'collector.db')))
  const tokenFile = join(home, 'api-token')
  let client: ApiClient | undefined
  await waitUntil(async () => {
    try {
      client = createApiClient(url, caFile, ensureToken(repository, tokenFile, environment))
      await client.get('/products')
      return true
    } catch {
      return false
    }
  })
  if (client === undefined) throw new Error('unreachable')
  return client
}

/** One token for the roles of vendor and operator; the certificate of the example is made with one of a certifier. */
function ensureToken(repository: string, file: string, environment: Record<string, string>): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const token = makeToken(repository, 'operator', environment)
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}

function makeToken(repository: string, role: string, environment: Record<string, string>): string {
  const program = join(repository, 'dist', 'collector', 'main.js')
  const result = spawnSync(process.execPath, [program, 'api-token', 'create', '--role', role, '--name', 'preview'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`no API token could be made: ${result.stderr}`)
  return result.stdout.trim()
}

async function ensureProduct(api: ApiClient): Promise<string> {
  const { items } = await api.get<{ items: { id: string; vendor: string; model: string }[] }>('/products')
  const known = items.find(({ vendor, model }) => vendor === VENDOR && model === MODEL)
  if (known !== undefined) return known.id
  const body = { vendor: VENDOR, model: MODEL, identityPolicy: 'software', approvalPolicy: 'automatic' }
  return (await api.post<{ id: string }>('/products', body)).id
}

async function enrol(
  repository: string,
  home: string,
  ports: PreviewPorts,
  tpm: PreviewTpm,
  api: ApiClient,
  productId: string,
  say: (line: string) => void,
): Promise<void> {
  if (existsSync(join(home, 'agent', 'identity'))) {
    say('This machine is enrolled already.')
    return
  }
  await ensureCertificate(repository, home, ports, productId)
  const { token } = await api.post<{ token: string }>('/enrolment-tokens', { productId, expiresInSeconds: 600 })
  const tokenFile = join(home, 'enrolment-token')
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
  const logFile = join(home, 'logs', 'enrol.log')
  const child = startChild(repository, {
    program: 'agent/main.js',
    arguments: ['enroll', '--token-file', tokenFile],
    environment: agentSettings(home, ports, tpm),
    logFile,
    nodeFlags: ['--jitless'],
  })
  const code = await child.ended
  rmSync(tokenFile, { force: true })
  if (code !== 0) throw new Error(`Enrolment failed: ${readFileSync(logFile, 'utf8').trim()}`)
  say(`This machine is enrolled (${tpm.tcti === 'none' ? 'software identity' : 'endorsed by its TPM'}).`)
}

/** The product carries a certificate, so that its drift opens cases. Example data, and named so. */
async function ensureCertificate(
  repository: string,
  home: string,
  ports: PreviewPorts,
  productId: string,
): Promise<void> {
  const token = makeToken(repository, 'certifier', collectorSettings(home, ports))
  const caFile = join(home, 'collector', 'keys', 'device-ca.pem')
  const certifier = createApiClient(`https://localhost:${ports.https}`, caFile, token)
  await certifier.post(`/products/${productId}/certificates`, {
    number: 'EXAMPLE-1',
    profileUri: 'https://example.com/profiles/preview-gateway',
    validUntil: new Date(Date.now() + 365 * 86_400_000).toISOString(),
  })
}

const ATTESTATION_TIMEOUT_MS = 90_000

/** The first evidence of this run that is fresh: one from the last run proves nothing about now. */
async function firstAttestation(api: ApiClient, started: number): Promise<DeviceJson> {
  const deadline = Date.now() + ATTESTATION_TIMEOUT_MS
  for (;;) {
    const { items } = await api.get<{ items: DeviceJson[] }>('/devices')
    const device = items.find(({ lastFreshAt }) => lastFreshAt !== null && Date.parse(lastFreshAt) >= started)
    if (device !== undefined && device.verdictCode !== 'content.missing') return device
    if (Date.now() > deadline) throw new Error('No attestation arrived. Its log: .cache/preview/logs/agent.log')
    await sleep(250)
  }
}

/** At the very first report what it shows is approved, marked as unreviewed; later runs compare with that. */
async function approveFirst(api: ApiClient, device: DeviceJson): Promise<boolean> {
  if (device.verdictCode !== 'reference-values.missing') return false
  await api.post(`/devices/${device.ueid}/approve`, { scope: 'device' })
  return true
}

/** `. .cache/preview/env` makes the keepseal commands speak to this collector. */
function writeCommands(repository: string, home: string, ports: PreviewPorts): void {
  const bin = join(home, 'bin')
  mkdirSync(bin, { recursive: true })
  const programs = { keepseal: 'collector/cli/client/main.js', 'keepseal-agent': 'agent/main.js' }
  for (const [name, program] of Object.entries(programs)) {
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\nexec "${process.execPath}" "${join(repository, 'dist', program)}" "$@"\n`,
    )
    chmodSync(join(bin, name), 0o755)
  }
  const token = readFileSync(join(home, 'api-token'), 'utf8').trim()
  const lines = {
    KEEPSEAL_URL: `https://localhost:${ports.https}`,
    KEEPSEAL_TOKEN: token,
    KEEPSEAL_CA_FILE: join(home, 'collector', 'keys', 'device-ca.pem'),
    KEEPSEAL_AGENT_STATE__DIRECTORY: join(home, 'agent'),
    PATH: `${bin}:$PATH`,
  }
  const text = Object.entries(lines).map(([name, value]) => `export ${name}="${value}"`)
  writeFileSync(join(home, 'env'), `${text.join('\n')}\n`, { mode: 0o600 })
}
