import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../../deploy/preview/api-client.ts'
import { startChild, supervise, type Child, type Keep } from '../../deploy/preview/child.ts'
import { connectApi, ensureProduct } from '../../deploy/preview/collector.ts'
import { enrol } from '../../deploy/preview/enrol.ts'
import { choosePorts } from '../../deploy/preview/ports.ts'
import { agentSettings, collectorSettings } from '../../deploy/preview/settings.ts'
import { findTpm } from '../../deploy/preview/tpm.ts'
import { cpuMsOf } from '../support/process-cpu.ts'
import { AGENT_FLAGS } from './agent-flags.ts'

export interface Memory {
  /** Resident memory of an agent that is connected, has reported and waits. */
  readonly idleRssKib: number
  /** The part of it that no file backs: what cannot be shared with another process of Node. */
  readonly idleAnonymousKib: number
  readonly peakRssKib: number
}

export interface RunningAgentResult extends Memory {
  /** How the device was enrolled: with a (software) TPM or without. */
  readonly identity: string
  readonly idleCpuMsPerMinute: number
  /** All that one report takes: sensors, quote, signature, outbox, sending. Without the work of the TPM itself. */
  readonly reportCpuMs: number
  readonly reports: number
}

interface DeviceJson {
  readonly ueid: string
  readonly identity: string
  readonly lastReceivedAt: string | null
}

/** The first report, the contents that the collector asks for, and its receipt. */
const SETTLE_MS = 5_000
const IDLE_MS = 30_000
const REPORTING_MS = 60_000
const LONG_INTERVAL_SECONDS = 300
const SHORTEST_INTERVAL_SECONDS = 10

/** An agent as shipped, with a collector of its own: first at rest, then at the shortest interval. */
export async function measureRunningAgent(
  repository: string,
  say: (line: string) => void,
): Promise<RunningAgentResult> {
  const home = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  const stops: (() => Promise<unknown>)[] = []
  let result: RunningAgentResult | undefined
  try {
    const site = await prepareSite(repository, home, (stop) => void stops.push(stop), say)
    const { idleCpuMs, ...memory } = await watchResting(site, say)
    const busyCpuMs = await watchReporting(site, say)
    const reports = Math.floor(REPORTING_MS / (SHORTEST_INTERVAL_SECONDS * 1000))
    const { identity } = await onlyDevice(site.api)
    return (result = {
      identity,
      ...memory,
      idleCpuMsPerMinute: Math.round((idleCpuMs * 60_000) / IDLE_MS),
      reportCpuMs: Math.round((busyCpuMs - (idleCpuMs * REPORTING_MS) / IDLE_MS) / reports),
      reports,
    })
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined)
    if (result === undefined) say(`Failed. The logs of the collector and of the agent are in ${home}/logs`)
    else rmSync(home, { recursive: true, force: true })
  }
}

export interface Site {
  readonly api: ApiClient
  /** Where devices reach the embedded broker. */
  readonly mqttPort: number
  /** Starts the agent, and resolves when the collector has its first report. */
  startAgent(
    intervalSeconds: number,
    settings?: Readonly<Record<string, string>>,
    program?: { readonly node: string; readonly agent: string },
  ): Promise<Child>
}

/** A collector, and this machine enrolled with it, by its TPM or a private software TPM. */
export async function prepareSite(
  repository: string,
  home: string,
  keep: Keep,
  say: (line: string) => void,
  settings: Readonly<Record<string, string>> = {},
): Promise<Site> {
  mkdirSync(join(home, 'logs'), { recursive: true })
  const ports = await choosePorts(join(home, 'ports.json'))
  const tpm = await findTpm(home, ports, keep, say)
  const environment = { ...collectorSettings(home, ports), ...settings }
  const logFile = join(home, 'logs', 'collector.log')
  const serve = { program: 'collector/main.js', arguments: ['serve'], environment, logFile }
  supervise('collector', startChild(repository, serve), logFile, keep)
  const api = await connectApi(repository, home, ports, environment)
  await enrol(repository, home, ports, tpm, api, await ensureProduct(api), say)
  return {
    api,
    mqttPort: ports.mqtt,
    async startAgent(intervalSeconds, over = {}, program) {
      const started = Date.now()
      const agent = startChild(repository, {
        program: program?.agent ?? 'bundle/keepseal-agent.js',
        node: program?.node,
        arguments: ['run'],
        environment: {
          ...agentSettings(home, ports, tpm),
          KEEPSEAL_AGENT_REPORT__INTERVAL_SECONDS: String(intervalSeconds),
          KEEPSEAL_AGENT_REPORT__RESEND_SECONDS: String(Math.max(1500, intervalSeconds)),
          ...over,
        },
        logFile: join(home, 'logs', 'agent.log'),
        nodeFlags: AGENT_FLAGS,
      })
      keep(() => agent.stop())
      await reported(api, started)
      return agent
    },
  }
}

async function watchResting(site: Site, say: (line: string) => void): Promise<Memory & { idleCpuMs: number }> {
  const agent = await site.startAgent(LONG_INTERVAL_SECONDS)
  say(`Watching the agent at rest for ${IDLE_MS / 1000} s.`)
  await sleep(SETTLE_MS)
  const before = cpuMs(agent)
  await sleep(IDLE_MS)
  const result = { idleCpuMs: cpuMs(agent) - before, ...memoryOf(agent) }
  await agent.stop()
  return result
}

async function watchReporting(site: Site, say: (line: string) => void): Promise<number> {
  const agent = await site.startAgent(SHORTEST_INTERVAL_SECONDS)
  say(`Watching ${REPORTING_MS / 1000} s of reports, one each ${SHORTEST_INTERVAL_SECONDS} s.`)
  await sleep(SETTLE_MS)
  const before = cpuMs(agent)
  await sleep(REPORTING_MS)
  return cpuMs(agent) - before
}

async function onlyDevice(api: ApiClient): Promise<DeviceJson> {
  const [device] = (await api.get<{ items: DeviceJson[] }>('/devices')).items
  if (device === undefined) throw new Error('no device is enrolled')
  return device
}

async function reported(api: ApiClient, since: number): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 250) {
    const { lastReceivedAt } = await onlyDevice(api)
    if (lastReceivedAt !== null && Date.parse(lastReceivedAt) >= since) return
    await sleep(250)
  }
  throw new Error('the agent has not reported within a minute')
}

/** Linux, proc(5): the lines of /proc/PID/status in KiB. */
export function memoryOf(child: Child): Memory {
  const status = readFileSync(`/proc/${child.process.pid}/status`, 'utf8')
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1])
  return { idleRssKib: value('VmRSS'), idleAnonymousKib: value('RssAnon'), peakRssKib: value('VmHWM') }
}

const cpuMs = (child: Child): number => cpuMsOf(child.process.pid ?? 0).own
