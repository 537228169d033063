import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../../deploy/preview/api-client.ts'
import { startChild, supervise, type Child } from '../../deploy/preview/child.ts'
import { connectApi, ensureProduct } from '../../deploy/preview/collector.ts'
import { enrol } from '../../deploy/preview/enrol.ts'
import { choosePorts } from '../../deploy/preview/ports.ts'
import { agentSettings, collectorSettings } from '../../deploy/preview/settings.ts'
import { findTpm } from '../../deploy/preview/tpm.ts'

export interface RunningAgentResult {
  /** How the device was enrolled: with a (software) TPM or without. */
  readonly identity: string
  /** Resident memory of an agent that is connected, has reported and waits. */
  readonly idleRssKib: number
  /** The part of it that no file backs: what cannot be shared with another process of Node. */
  readonly idleAnonymousKib: number
  readonly peakRssKib: number
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

const IDLE_MS = 30_000
const REPORTING_MS = 65_000
const SHORTEST_INTERVAL_SECONDS = 10

/** An agent as shipped, with a collector of its own: first at rest, then at the shortest interval. */
export async function measureRunningAgent(
  repository: string,
  say: (line: string) => void,
): Promise<RunningAgentResult> {
  const home = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  mkdirSync(join(home, 'logs'))
  const stops: (() => Promise<unknown>)[] = []
  const keep = (stop: () => Promise<unknown>): void => void stops.push(stop)
  try {
    const ports = await choosePorts(join(home, 'ports.json'))
    const tpm = await findTpm(home, ports, keep, say)
    const environment = collectorSettings(home, ports)
    const logFile = join(home, 'logs', 'collector.log')
    const collector = startChild(repository, {
      program: 'collector/main.js',
      arguments: ['serve'],
      environment,
      logFile,
    })
    supervise('collector', collector, logFile, keep)
    const api = await connectApi(repository, home, ports, environment)
    await enrol(repository, home, ports, tpm, api, await ensureProduct(api), say)
    const start = async (intervalSeconds: number): Promise<Child> => {
      const started = Date.now()
      const agent = startChild(repository, {
        program: 'bundle/keepseal-agent.js',
        arguments: ['run'],
        environment: {
          ...agentSettings(home, ports, tpm),
          KEEPSEAL_AGENT_REPORT__INTERVAL_SECONDS: String(intervalSeconds),
          KEEPSEAL_AGENT_REPORT__RESEND_SECONDS: '1500',
        },
        logFile: join(home, 'logs', 'agent.log'),
        nodeFlags: ['--jitless'],
      })
      keep(() => agent.stop())
      await reported(api, started)
      return agent
    }

    const resting = await start(300)
    say(`Waiting ${IDLE_MS / 1000} s for the agent to come to rest.`)
    await sleep(IDLE_MS / 3)
    const cpuBefore = cpuMsOf(resting)
    await sleep(IDLE_MS)
    const idleCpuMs = cpuMsOf(resting) - cpuBefore
    const memory = memoryOf(resting)
    await resting.stop()

    const busy = await start(SHORTEST_INTERVAL_SECONDS)
    say(`Watching ${REPORTING_MS / 1000} s of reports, one each ${SHORTEST_INTERVAL_SECONDS} s.`)
    const busyBefore = cpuMsOf(busy)
    await sleep(REPORTING_MS)
    const busyCpuMs = cpuMsOf(busy) - busyBefore - (idleCpuMs * REPORTING_MS) / IDLE_MS
    const reports = Math.floor(REPORTING_MS / (SHORTEST_INTERVAL_SECONDS * 1000))
    return {
      identity: (await onlyDevice(api)).identity,
      ...memory,
      idleCpuMsPerMinute: Math.round((idleCpuMs * 60_000) / IDLE_MS),
      reportCpuMs: Math.round(busyCpuMs / reports),
      reports,
    }
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined)
    rmSync(home, { recursive: true, force: true })
  }
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
function memoryOf(child: Child): { idleRssKib: number; idleAnonymousKib: number; peakRssKib: number } {
  const status = readFileSync(`/proc/${child.process.pid}/status`, 'utf8')
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1])
  return { idleRssKib: value('VmRSS'), idleAnonymousKib: value('RssAnon'), peakRssKib: value('VmHWM') }
}

const TICK_MS = 10

/** Linux, proc(5): utime and stime are fields 14 and 15 of /proc/PID/stat, in ticks of a hundredth of a second. */
function cpuMsOf(child: Child): number {
  const stat = readFileSync(`/proc/${child.process.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
