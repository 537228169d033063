import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { table } from '../../shared/cli/table.ts'
import { AGENT_FLAGS } from './agent-flags.ts'
import { bootRows, measureBoot, type BootResult } from './boot-result.ts'
import { measureIngest, type IngestResult } from './ingest.ts'
import { thisMachine } from './machine.ts'
import { measureOnce, type OnceResult } from './once.ts'
import { measureRunningAgent, type RunningAgentResult } from './running-agent.ts'
import { measureSensors, sensorRows, type SensorsResult } from './sensors.ts'
import { rounded, type Comparison } from './statistics.ts'
import { steadyDevice } from './steady-device.ts'
import { measureVerification } from './verification.ts'

const GOALS = {
  verificationRatio: 1.25,
  ingestRatio: 1.6,
  evidenceBytes: 800,
  idleRssKib: 80 * 1024,
  measurementCpuMs: 150,
  logRatio: 3,
  listRatio: 3,
  logsPerCpuSecond: 300,
  steadyListsPerCpuSecond: 640,
  sensorsFirstMs: 150,
  sensorsUnchangedMs: 40,
  sensorsMemoryMib: 25,
  manySocketsMs: 1000,
  peersRatio: 20,
} as const

const COMPARISON = { rounds: 41, callsPerRound: 300, warmUp: 5000 }

/** Measures everything, prints it, and writes docs/bench/latest.json. */
export async function bench(repository: string, say: (line: string) => void): Promise<void> {
  const machine = thisMachine()
  say(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}, load ${machine.load.toFixed(1)}`)
  const bundle = join(repository, 'dist', 'bundle', 'keepseal-agent.js')

  const steady = await steadyDevice()
  say('Verifying evidence.')
  const { warm, cold } = measureVerification(steady, COMPARISON)
  say('Taking evidence in.')
  const ingest = await measureIngest()
  const boot = measureBoot(repository, say)
  say('Measuring this machine, from start to end.')
  const once = measureOnce(bundle)
  const sensors = measureSensors(repository, once, say)
  const agent = await measureRunningAgent(repository, say)

  const result = {
    machine,
    goals: GOALS,
    verification: { warm: rounded(warm), cold: rounded(cold) },
    ingest,
    evidence: { steadyBytes: steady.evidence.bytes.length },
    boot,
    sensors,
    agent: { flags: AGENT_FLAGS.join(' '), bundleBytes: statSync(bundle).size, once, ...agent },
  }
  const directory = join(repository, 'docs', 'bench')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'latest.json'), `${JSON.stringify(result, null, 2)}\n`)
  say(summary(result))
  say('Written to docs/bench/latest.json')
}

interface Result {
  readonly verification: { readonly warm: Comparison; readonly cold: Comparison }
  readonly ingest: IngestResult
  readonly evidence: { readonly steadyBytes: number }
  readonly boot: BootResult
  readonly sensors: SensorsResult
  readonly agent: { readonly once: OnceResult; readonly bundleBytes: number } & RunningAgentResult
}

function summary({ verification: { warm, cold }, ingest, evidence, boot, sensors, agent }: Result): string {
  const against = ({ ratio, subjectUs, baselineUs }: Pick<Comparison, 'ratio' | 'subjectUs' | 'baselineUs'>): string =>
    `${ratio} times the bare checks (${subjectUs} and ${baselineUs} us of CPU)`
  const mib = (kib: number): string => `${(kib / 1024).toFixed(1)} MiB`
  const { once } = agent
  const rows = [
    ['verification, keys held', against(warm), `at most ${GOALS.verificationRatio}`],
    ['verification, keys imported', against(cold), ''],
    ['ingest to commit, SQLite', against(ingest), `at most ${GOALS.ingestRatio}`],
    ['evidence, nothing changed', `${evidence.steadyBytes} bytes`, `at most ${GOALS.evidenceBytes}`],
    ...bootRows(boot, GOALS),
    ...sensorRows(sensors, GOALS),
    ['agent at rest, memory', mib(agent.idleRssKib), `at most ${mib(GOALS.idleRssKib)}`],
    ['agent at rest, CPU', `${agent.idleCpuMsPerMinute} ms a minute`, ''],
    ['one report, CPU', `${agent.reportCpuMs} ms`, `at most ${GOALS.measurementCpuMs} ms`],
    ['once --print, CPU', `${once.processCpuMs} ms, of it sensors ${once.sensorsCpuMs} ms`, ''],
    ['bundle', `${Math.round(agent.bundleBytes / 1024)} KiB`, ''],
  ]
  const columns = [{ title: 'WHAT' }, { title: 'MEASURED' }, { title: 'GOAL' }]
  return table(columns, rows, { width: 120, style: (_, text) => text })
}
