import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHelper } from '../../../deploy/preview/helper.ts'
import { cpuMsOf, threadsCpuMs } from '../../support/process-cpu.ts'
import { memoryOf, prepareSite, type Site } from '../running-agent.ts'
import type { ApartResult, NarrowBand, Rest, Steady } from './result.ts'
import { countPort, since, wireCount } from './wire.ts'

/**
 * A program of its own, in namespaces of its own (see ./part.ts): what other programs of the machine open, start and
 * end meanwhile is no change of posture here. Its last line is the result.
 */

/**
 * The shipped periods, all of them a tenth: each cycle is what it is at the shipped ones, and nobody has to wait for it.
 * A report and an epoch each 300 s, a receipt each 1200 s, an answer of the helper each 1800 s.
 */
const INTERVAL_SECONDS = 30
const COLLECTOR = {
  KEEPSEAL_COLLECTOR_FRESHNESS__EPOCH_PERIOD_SECONDS: '30',
  KEEPSEAL_COLLECTOR_FRESHNESS__WINDOW_SECONDS: '60',
  KEEPSEAL_COLLECTOR_LIVENESS__REPORT_INTERVAL_SECONDS: '30',
  KEEPSEAL_COLLECTOR_RECEIPTS__MIN_INTERVAL_SECONDS: '120',
} as const
/** At rest: a collector as it is shipped. The preview's is quicker. */
const SHIPPED = {
  KEEPSEAL_COLLECTOR_FRESHNESS__EPOCH_PERIOD_SECONDS: '300',
  KEEPSEAL_COLLECTOR_FRESHNESS__WINDOW_SECONDS: '600',
} as const
const AGENT = {
  KEEPSEAL_AGENT_REPORT__JITTER_SECONDS: '0',
  KEEPSEAL_AGENT_MEASURE__MAX_AGE_SECONDS: '180',
  // Looks in between are not of a report: they are watched at rest.
  KEEPSEAL_AGENT_REPORT__SAMPLE_SECONDS: '0',
} as const
/** Receipts and answers of the helper come out even. */
const CYCLES = 12
/** The first reports, what the collector asks for after them, and their receipts. */
const SETTLE_MS = 90_000
const REST_MS = 180_000
/** The same visit as once an hour. */
const VISIT_SECONDS = 30
const VISITS = 4
/** Of this network namespace: 12 bytes in each packet, tcp(7). */
const TIMESTAMPS = '/proc/sys/net/ipv4/tcp_timestamps'

async function measure(repository: string, home: string, installed: string): Promise<ApartResult> {
  const stops: (() => Promise<unknown>)[] = []
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  const keep = (stop: () => Promise<unknown>): void => void stops.push(stop)
  const program = {
    node: join(installed, 'node'),
    agent: join(installed, 'keepseal-agent.js'),
    helper: join(installed, 'keepseal-measure.js'),
  }
  const end = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop().catch(() => undefined)
  }
  const open = async (name: string, settings = {}): Promise<{ readonly site: Site; readonly home: string }> => {
    const own = join(home, name)
    mkdirSync(join(own, 'logs'), { recursive: true })
    await startHelper(repository, own, keep, program.helper, program.node)
    return { site: await prepareSite(repository, own, keep, say, settings), home: own }
  }
  try {
    const quick = await open('quick', COLLECTOR)
    countPort(quick.site.mqttPort)
    const steady = await watchSteady(quick.site, quick.home, program, say)
    say(`steady: ${JSON.stringify(steady)}`)
    const narrowBand = await watchNarrowBand(quick.site, quick.home, program, say)
    say(`narrow-band: ${JSON.stringify(narrowBand)}`)
    writeFileSync(TIMESTAMPS, '0')
    const withoutTimestamps = await watchNarrowBand(quick.site, quick.home, program, say)
    say(`without timestamps: ${JSON.stringify(withoutTimestamps)}`)
    await end()
    const rest = await watchRest((await open('shipped', SHIPPED)).site, program, say)
    say(`at rest: ${JSON.stringify(rest)}`)
    return { steady, rest, narrowBand, withoutTimestamps }
  } finally {
    await end()
  }
}

interface Programs {
  readonly node: string
  readonly agent: string
}

async function watchSteady(site: Site, home: string, program: Programs, say: (line: string) => void): Promise<Steady> {
  const agent = await site.startAgent(INTERVAL_SECONDS, AGENT, program)
  const pid = agent.process.pid ?? 0
  const startCpuMs = cpuMsOf(pid).own
  await sleep(SETTLE_MS)
  const helper = helperPid(home)
  const now = () => ({
    cpu: threadsCpuMs(pid),
    helper: helper === 0 ? 0 : cpuMsOf(helper).children,
    wire: wireCount(),
  })
  const before = now()
  say(`Watching ${CYCLES} cycles.`)
  await sleep(CYCLES * INTERVAL_SECONDS * 1000)
  const after = now()
  await agent.stop()
  return {
    cycles: CYCLES,
    startCpuMs,
    agentCpuMsPerCycle: Math.round((after.cpu - before.cpu) / CYCLES),
    helperCpuMsPerCycle: Math.round((after.helper - before.helper) / CYCLES),
    wire: since(after.wire, before.wire),
  }
}

/** Between two reports at the shipped periods, with a look at the sockets each minute. */
async function watchRest(site: Site, program: Programs, say: (line: string) => void): Promise<Rest> {
  const agent = await site.startAgent(300, { KEEPSEAL_AGENT_REPORT__JITTER_SECONDS: '0' }, program)
  const pid = agent.process.pid ?? 0
  await sleep(SETTLE_MS)
  const before = threadsCpuMs(pid)
  say(`Watching it at rest for ${REST_MS / 1000} s.`)
  await sleep(REST_MS)
  const cpuMsPerMinute = Math.round(((threadsCpuMs(pid) - before) * 60_000) / REST_MS)
  const memory = memoryOf(agent)
  await agent.stop()
  return { ...memory, cpuMsPerMinute }
}

async function watchNarrowBand(
  site: Site,
  home: string,
  program: Programs,
  say: (line: string) => void,
): Promise<NarrowBand> {
  const settings = {
    KEEPSEAL_AGENT_REPORT__PRESET: 'narrow-band',
    KEEPSEAL_AGENT_REPORT__JITTER_SECONDS: '0',
    KEEPSEAL_AGENT_LOG__LEVEL: 'debug',
  }
  const log = join(home, 'logs', 'agent.log')
  const logged = readFileSync(log, 'utf8').length
  const agent = await site.startAgent(VISIT_SECONDS, settings, program)
  const isResting = (): boolean =>
    (JSON.parse(readFileSync(join(home, 'agent', 'status.json'), 'utf8')) as { resting?: boolean }).resting === true
  const resting = async (): Promise<void> => {
    while (!isResting()) await sleep(200)
    await sleep(1_000)
  }
  // The first one shows a certificate and brings what is new since the last run.
  await sleep(VISIT_SECONDS * 2_000)
  await resting()
  const before = { wire: wireCount(), receipts: receipts(home) }
  say(`Watching ${VISITS} visits.`)
  await sleep(VISITS * VISIT_SECONDS * 1000)
  await resting()
  const wire = since(wireCount(), before.wire)
  const visits = receipts(home) - before.receipts
  await agent.stop()
  const resumed = resumptions(readFileSync(log, 'utf8').slice(logged))
  if (visits === 0 || resumed < visits) throw new Error(`${resumed} TLS sessions resumed in ${visits} visits`)
  return { visits, wire }
}

/** The number of the newest one: each visit has one. */
function receipts(home: string): number {
  // A digest follows in the second line.
  const [first = ''] = readFileSync(join(home, 'agent', 'progress.json'), 'utf8').split('\n')
  const { lastReceipt } = JSON.parse(first) as {
    readonly lastReceipt: { readonly number: number }
  }
  return lastReceipt.number
}

/** The log tells a line that comes again by how often it came. */
function resumptions(log: string): number {
  const told = log.split('TLS session resumed').length - 1
  const more = [...log.matchAll(/TLS session resumed\n.*\(the last message came (\d+) more times\)/g)]
  return told + more.reduce((sum, [, times]) => sum + Number(times), 0)
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

const [repository = '', home = '', installed = ''] = process.argv.slice(2)
const result = await measure(repository, home, installed)
if (existsSync(home)) rmSync(home, { recursive: true, force: true })
process.stdout.write(`\n${JSON.stringify(result)}\n`)
process.exit(0)
