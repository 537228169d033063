import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockState } from '../../agent/state/lock.ts'
import type { ApiClient } from './api-client.ts'
import { childEnded, startChild, supervise, type Keep } from './child.ts'
import { connectApi, ensureProduct } from './collector.ts'
import { writeCommands } from './commands.ts'
import { enrol } from './enrol.ts'
import { startHelper } from './helper.ts'
import { simulateGateways } from './gateways.ts'
import { openLink } from './login-link.ts'
import { PreviewPerson } from './person.ts'
import { choosePorts } from './ports.ts'
import { agentSettings, collectorSettings } from './settings.ts'
import { findTpm } from './tpm.ts'

interface DeviceJson {
  readonly ueid: string
  readonly verdict: string
  readonly verdictCode: string | null
  readonly lastFreshAt: string | null
}

/** `npm run preview`: a collector and this machine's own agent, until Ctrl-C. `repository` is where dist/ is. */
export async function preview(
  repository: string,
  say: (line: string) => void,
  home: string = join(repository, '.cache', 'preview'),
): Promise<void> {
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 })
  const lock = await lockState(home).catch(() => undefined)
  if (lock === undefined) {
    say('A preview of this clone is running already. End it with Ctrl-C where it was started.')
    return
  }
  let ended = false
  const stops: (() => Promise<unknown>)[] = []
  /** What is started after the end is stopped at once. */
  const keep = (stop: () => Promise<unknown>): void => {
    if (ended) void stop().catch(() => undefined)
    else stops.push(stop)
  }
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop().catch(() => undefined)
  }
  const interrupted = new Promise<void>((resolve) => {
    // For good: a second Ctrl-C must not end the preview while its parts are still being stopped.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  }).then(() => {
    ended = true
  })
  try {
    await Promise.race([interrupted, start(repository, home, keep, say)])
    if (!ended) {
      say('Ctrl-C ends it. What it made stays in .cache/preview; delete that folder to begin anew.')
      await Promise.race([interrupted, childEnded])
    }
  } finally {
    await stopAll()
    await lock.release()
  }
  if (ended) say('Stopped.')
  process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM').removeAllListeners('SIGHUP')
}

async function start(repository: string, home: string, keep: Keep, say: (line: string) => void): Promise<void> {
  const ports = await choosePorts(join(home, 'ports.json'))
  const tpm = await findTpm(home, ports, keep, say)
  const collectorEnvironment = collectorSettings(home, ports)
  const collectorLog = join(home, 'logs', 'collector.log')
  const collector = startChild(repository, {
    program: 'collector/main.js',
    arguments: ['serve'],
    environment: collectorEnvironment,
    logFile: collectorLog,
  })
  supervise('collector', collector, collectorLog, keep)
  const api = await connectApi(repository, home, ports, collectorEnvironment)
  say(`Collector with embedded broker and SQLite is running, port ${ports.https} and ${ports.mqtt}.`)

  const person = await PreviewPerson.invited(repository, ports, collectorEnvironment)
  // Before the agent looks: it is a listener of this machine too, and a part of what is approved.
  const link = await openLink(ports, person, say)
  keep(() => link.stop())

  const productId = await ensureProduct(api)
  await enrol(repository, home, ports, tpm, api, productId, say)
  await startHelper(repository, home, keep)
  const agentLog = join(home, 'logs', 'agent.log')
  const agent = startChild(repository, {
    program: 'agent/main.js',
    arguments: ['run'],
    environment: agentSettings(home, ports, tpm),
    logFile: agentLog,
    nodeFlags: ['--jitless'],
  })
  supervise('agent', agent, agentLog, keep)

  const started = Date.now()
  const device = await Promise.race([firstAttestation(api, started), childEnded])
  const approved = await approveFirst(api, device)
  say(`attestation verified: ${device.ueid}${approved ? ', approved as it is now' : `, ${device.verdict}`}`)
  writeCommands(repository, home, ports)
  const gateways = simulateGateways(home, ports, say)
  keep(() => gateways.stop())
  await Promise.race([gateways.found, childEnded])
  say('')
  say(`  ${link.next()}`)
  say('')
  say('The link logs in on this machine, once; each use prints another one here.')
  say(`In another terminal: . .cache/preview/env, then: keepseal finding list`)
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
