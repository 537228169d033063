import { spawnSync } from 'node:child_process'
import { AGENT_FLAGS } from './agent-flags.ts'
import { median } from './statistics.ts'

export interface OnceResult {
  /** CPU time of the whole process, from its start to its end. */
  readonly processCpuMs: number
  /** CPU time of all sensors, in a process that has just started. */
  readonly sensorsCpuMs: number
  readonly sections: Readonly<Record<string, number>>
}

const RUNS = 7

/** `keepseal-agent once --print`, as shipped: one measurement by a process that begins with nothing. */
export function measureOnce(bundle: string): OnceResult {
  const runs = Array.from({ length: RUNS }, () => runOnce(bundle))
  const sections = Object.keys(runs[0]?.sections ?? {})
  return {
    processCpuMs: median(runs.map(({ cpuMs }) => cpuMs)),
    sensorsCpuMs: median(runs.map((run) => Object.values(run.sections).reduce((sum, ms) => sum + ms, 0))),
    sections: Object.fromEntries(sections.map((id) => [id, median(runs.map((run) => run.sections[id] ?? 0))])),
  }
}

function runOnce(bundle: string): { readonly cpuMs: number; readonly sections: Readonly<Record<string, number>> } {
  // `times` tells the CPU time of the shell's children, which Node tells of its own process alone.
  const script = '"$@" && times >&2'
  const command = [process.execPath, ...AGENT_FLAGS, bundle, 'once', '--print', '--json']
  const result = spawnSync('sh', ['-c', script, 'sh', ...command], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (result.status !== 0) throw new Error(`once ended with ${result.status}: ${result.stderr}`)
  const { sections } = JSON.parse(result.stdout) as { sections: Record<string, { cpuMs: number }> }
  return {
    cpuMs: childCpuMs(result.stderr),
    sections: Object.fromEntries(Object.entries(sections).map(([id, { cpuMs }]) => [id, cpuMs])),
  }
}

/** POSIX `times`: two lines, the second of the children: user and system time as 0m0.38s. */
function childCpuMs(text: string): number {
  const [line = ''] = text.trim().split('\n').slice(-1)
  const times = [...line.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  )
  if (times.length !== 2) throw new Error(`not what the shell's times prints: ${line}`)
  return Math.round(times.reduce((sum, seconds) => sum + seconds, 0) * 1000)
}
