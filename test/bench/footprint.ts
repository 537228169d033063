import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHelper } from '../../deploy/preview/helper.ts'
import { runCounted } from './child-cpu.ts'
import type { Part } from './part.ts'
import { memoryOf, prepareSite, type Memory, type Site } from './running-agent.ts'
import { tcpUsage, type TcpUsage } from './tcp-usage.ts'

/** The periods that are shipped: collector and agent as they are where nobody configures anything. */
const SHIPPED = {
  KEEPSEAL_COLLECTOR_FRESHNESS__EPOCH_PERIOD_SECONDS: '300',
  KEEPSEAL_COLLECTOR_FRESHNESS__WINDOW_SECONDS: '600',
  KEEPSEAL_COLLECTOR_LIVENESS__REPORT_INTERVAL_SECONDS: '300',
  KEEPSEAL_COLLECTOR_LIVENESS__STALE_INTERVALS: '2',
} as const
const INTERVAL_SECONDS = 300
const CYCLES = Number(process.env['KEEPSEAL_FOOTPRINT_CYCLES'] ?? 3)
const CYCLES_A_DAY = 86_400 / INTERVAL_SECONDS
/** The first report, what the collector asks for after it, and its receipt. */
const SETTLE_MS = 60_000
const TICK_MS = 10

interface ServiceFootprint extends Memory {
  readonly cycles: number
  readonly agentCpuSecondsPerDay: number
  /** Of the privileged helper, which systemd starts for each answer. */
  readonly helperCpuSecondsPerDay: number
  readonly wire: TcpUsage
  readonly wireBytesPerDay: number
  readonly startCpuMs: number
}

/** The agent as shipped, with its helper, over whole cycles of the shipped periods; scaled to a day by their number. */
async function measureService(repository: string, say: (line: string) => void): Promise<ServiceFootprint> {
  const home = mkdtempSync(join(tmpdir(), 'keepseal-footprint-'))
  const stops: (() => Promise<unknown>)[] = []
  try {
    mkdirSync(join(home, 'logs'))
    const keep = (stop: () => Promise<unknown>): void => void stops.push(stop)
    await startHelper(repository, home, keep, 'bundle/keepseal-measure.js')
    const site = await prepareSite(repository, home, keep, say, SHIPPED)
    return await watch(site, home, say)
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined)
    rmSync(home, { recursive: true, force: true })
  }
}

async function watch(site: Site, home: string, say: (line: string) => void): Promise<ServiceFootprint> {
  const agent = await site.startAgent(INTERVAL_SECONDS, { KEEPSEAL_AGENT_REPORT__JITTER_SECONDS: '0' })
  const pid = agent.process.pid ?? 0
  const startCpuMs = cpuMsOf(pid).own
  await sleep(SETTLE_MS)
  const helper = helperPid(home)
  const before = { cpu: cpuMsOf(pid).own, helper: cpuMsOf(helper).children, wire: tcpUsage(pid, site.mqttPort) }
  say(`Watching ${CYCLES} cycles of ${INTERVAL_SECONDS} s.`)
  await sleep(CYCLES * INTERVAL_SECONDS * 1000)
  const after = { cpu: cpuMsOf(pid).own, helper: cpuMsOf(helper).children, wire: tcpUsage(pid, site.mqttPort) }
  const memory = memoryOf(agent)
  if (after.wire.localPort !== before.wire.localPort) throw new Error('it has connected anew: that is no steady state')
  const wire = {
    localPort: after.wire.localPort,
    payloadBytes: after.wire.payloadBytes - before.wire.payloadBytes,
    packets: after.wire.packets - before.wire.packets,
    ipBytes: after.wire.ipBytes - before.wire.ipBytes,
  }
  const perDay = (value: number): number => Math.round((value * CYCLES_A_DAY) / CYCLES)
  return {
    cycles: CYCLES,
    ...memory,
    agentCpuSecondsPerDay: perDay(after.cpu - before.cpu) / 1000,
    helperCpuSecondsPerDay: perDay(after.helper - before.helper) / 1000,
    startCpuMs,
    wire,
    wireBytesPerDay: perDay(wire.ipBytes),
  }
}

/** Linux, proc(5): of the process itself, and of the children that it has waited for. */
function cpuMsOf(pid: number): { readonly own: number; readonly children: number } {
  if (pid === 0) return { own: 0, children: 0 }
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const sum = (first: number): number => (Number(fields[first]) + Number(fields[first + 1])) * TICK_MS
  return { own: sum(11), children: sum(13) }
}

/** The process that listens for the helper; 0 where there is none, as for anybody but root. */
function helperPid(home: string): number {
  const socket = join(home, 'measure.sock')
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`--listen\0${socket}`)) return Number(name)
    } catch {
      // It has ended in between.
    }
  }
  return 0
}

interface Peers {
  readonly nodeExporter: { readonly rssKib: number; readonly cpuMsPerScrape: number } | null
  readonly lynis: { readonly cpuSeconds: number } | null
}

const SCRAPES = 20

/** What others take on this machine, where they are installed. They look at other things. */
async function measurePeers(): Promise<Peers> {
  return { nodeExporter: await measureNodeExporter(), lynis: measureLynis() }
}

/** Null also where it does not come to its end in time: what takes minutes to measure is not thrown away for that. */
function measureLynis(): Peers['lynis'] {
  if (spawnSync('lynis', ['show', 'version']).status !== 0) return null
  try {
    const { cpuMs } = runCounted(['sh', '-c', 'lynis audit system --quick --quiet 2> /dev/null'], 600_000)
    return { cpuSeconds: cpuMs / 1000 }
  } catch {
    return null
  }
}

async function measureNodeExporter(): Promise<Peers['nodeExporter']> {
  const program = 'prometheus-node-exporter'
  if (spawnSync(program, ['--version']).error !== undefined) return null
  const url = `http://127.0.0.1:${await freePort()}/metrics`
  const child = spawn(program, [`--web.listen-address=${new URL(url).host}`], { stdio: 'ignore' })
  try {
    const scrape = async (): Promise<boolean> =>
      fetch(url).then(
        async (response) => (await response.text()).length > 0,
        () => false,
      )
    for (let tries = 0; !(await scrape()); tries++) {
      if (tries > 100) return null
      await sleep(100)
    }
    const pid = child.pid ?? 0
    const before = cpuMsOf(pid).own
    for (let i = 0; i < SCRAPES; i++) {
      await scrape()
      await sleep(500)
    }
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return { rssKib: Number(rss), cpuMsPerScrape: (cpuMsOf(pid).own - before) / SCRAPES }
  } finally {
    child.kill('SIGKILL')
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

const packageBytes = (repository: string): number | null => {
  const folder = join(repository, 'dist', 'deb')
  try {
    const name = readdirSync(folder).find((each) => /^keepseal-agent_.*\.deb$/.test(each))
    return name === undefined ? null : statSync(join(folder, name)).size
  } catch {
    return null
  }
}

export const footprint: Part = {
  isUsual: false,
  measure: async (repository, say) => {
    const goals = { idleRssKib: 80 * 1024, cpuSecondsPerDay: 60, wireBytesPerDay: 450_000 }
    const service = await measureService(repository, say)
    say(JSON.stringify(service))
    const peers = await measurePeers()
    const cpu = service.agentCpuSecondsPerDay + service.helperCpuSecondsPerDay
    const bytes = packageBytes(repository)
    const { nodeExporter, lynis } = peers
    return {
      result: { goals, intervalSeconds: INTERVAL_SECONDS, ...service, packageBytes: bytes, peers },
      rows: [
        ['agent at rest, resident', `${(service.idleRssKib / 1024).toFixed(1)} MiB`, 'at most 80 MiB'],
        [
          'CPU a day, reports each 5 minutes',
          `${cpu.toFixed(1)} s: agent ${service.agentCpuSecondsPerDay}, helper ${service.helperCpuSecondsPerDay}`,
          `at most ${goals.cpuSecondsPerDay} s`,
        ],
        ['on the wire a day, IP packets', `${Math.round(service.wireBytesPerDay / 1000)} kB`, 'at most 450 kB'],
        ['package', bytes === null ? 'not built' : `${Math.round(bytes / 1024)} KiB`, ''],
        [
          'node-exporter',
          nodeExporter === null
            ? 'not installed'
            : `${(nodeExporter.rssKib / 1024).toFixed(1)} MiB, ${nodeExporter.cpuMsPerScrape} ms a scrape`,
          '',
        ],
        ['lynis, one audit', lynis === null ? 'not installed' : `${lynis.cpuSeconds} s of CPU`, ''],
      ],
    }
  },
}
