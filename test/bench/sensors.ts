import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SOCKETS, writeManySockets } from '../support/hostile-tree.ts'
import { AGENT_FLAGS } from './agent-flags.ts'
import { runCounted } from './child-cpu.ts'
import type { MeasuredSensors } from './measure-sensors.ts'
import type { OnceResult } from './once.ts'
import { median, toHundredths } from './statistics.ts'

export interface SensorsResult extends MeasuredSensors {
  readonly manySockets: Omit<MeasuredSensors, 'sections'> & { readonly sockets: number }
  readonly besidePeers: PeersResult
}

/** CPU time of whole processes, from start to end; null where a program is not installed. */
interface PeersResult {
  readonly onceMs: number
  readonly lynisMs: number | null
  readonly needrestartMs: number | null
  /** Of both together to `once`, where both are there. */
  readonly ratio: number | null
}

const RUNS = 7
const PEER_TIMEOUT_MS = 600_000

export function measureSensors(repository: string, once: OnceResult, say: (line: string) => void): SensorsResult {
  const script = join(repository, 'dist', 'test', 'bench', 'measure-sensors.js')
  say('Measuring with every sensor, twice in each process.')
  const here = measureRuns(script, '')
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  try {
    say('The same on a system with many sockets.')
    writeManySockets(directory)
    const { sections: _, ...many } = measureRuns(script, directory)
    say('Lynis and needrestart.')
    return { ...here, manySockets: { sockets: SOCKETS, ...many }, besidePeers: besidePeers(once) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function measureRuns(script: string, root: string): MeasuredSensors {
  const runs = Array.from({ length: RUNS }, () => measureRun(script, root))
  const of = (value: (run: MeasuredSensors) => number): number => median(runs.map(value))
  const section = (id: string, which: 'firstMs' | 'unchangedMs') => of((run) => run.sections[id]?.[which] ?? 0)
  const ids = Object.keys(runs[0]?.sections ?? {})
  return {
    firstMs: of(({ firstMs }) => firstMs),
    unchangedMs: of(({ unchangedMs }) => unchangedMs),
    memoryMib: of(({ memoryMib }) => memoryMib),
    sections: Object.fromEntries(
      ids.map((id) => [id, { firstMs: section(id, 'firstMs'), unchangedMs: section(id, 'unchangedMs') }]),
    ),
  }
}

function measureRun(script: string, root: string): MeasuredSensors {
  const run = spawnSync(process.execPath, [...AGENT_FLAGS, script, root], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`measuring ended with ${run.status}: ${run.stderr}`)
  return JSON.parse(run.stdout) as MeasuredSensors
}

function besidePeers({ processCpuMs: onceMs }: OnceResult): PeersResult {
  const quiet = ['--quick', '--no-colors', '--logfile', '/dev/null', '--report-file', '/dev/null']
  const lynisMs = cpuOf(['lynis', 'audit', 'system', ...quiet])
  // l: it lists, and restarts nothing.
  const needrestartMs = cpuOf(['needrestart', '-b', '-r', 'l'])
  const ratio = lynisMs === null || needrestartMs === null ? null : toHundredths((lynisMs + needrestartMs) / onceMs)
  return { onceMs, lynisMs, needrestartMs, ratio }
}

function cpuOf(command: readonly string[]): number | null {
  if (spawnSync(command[0] ?? '', ['--version']).error !== undefined) return null
  // Their exit codes tell of what they found.
  return runCounted(command, PEER_TIMEOUT_MS).cpuMs
}

interface SensorGoals {
  readonly sensorsFirstMs: number
  readonly sensorsUnchangedMs: number
  readonly sensorsMemoryMib: number
  readonly manySocketsMs: number
  readonly peersRatio: number
}

/** Rows of what, measured and goal. */
export function sensorRows(result: SensorsResult, goals: SensorGoals): string[][] {
  const { manySockets, besidePeers: peers } = result
  const peer = (ms: number | null): string => (ms === null ? 'not installed' : `${ms} ms`)
  return [
    ['all sensors, first time, CPU', `${result.firstMs} ms`, `at most ${goals.sensorsFirstMs} ms`],
    ['all sensors, unchanged, CPU', `${result.unchangedMs} ms`, `at most ${goals.sensorsUnchangedMs} ms`],
    ['all sensors, memory above idle', `${result.memoryMib} MiB`, `at most ${goals.sensorsMemoryMib} MiB`],
    [
      `all sensors, ${manySockets.sockets} sockets`,
      `${manySockets.firstMs} ms, ${manySockets.memoryMib} MiB above idle`,
      `at most ${goals.manySocketsMs} ms`,
    ],
    [
      'lynis and needrestart, CPU',
      `${peer(peers.lynisMs)} and ${peer(peers.needrestartMs)}: ${peers.ratio ?? '-'} times once --print`,
      `at least ${goals.peersRatio} times`,
    ],
  ]
}
