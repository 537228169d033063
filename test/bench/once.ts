import { AGENT_FLAGS } from './agent-flags.ts'
import { runCounted } from './child-cpu.ts'
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
  const { cpuMs, status, stdout, stderr } = runCounted([
    process.execPath,
    ...AGENT_FLAGS,
    bundle,
    'once',
    '--print',
    '--json',
  ])
  if (status !== 0) throw new Error(`once ended with ${status}: ${stderr}`)
  const { sections } = JSON.parse(stdout) as { sections: Record<string, { cpuMs: number }> }
  return { cpuMs, sections: Object.fromEntries(Object.entries(sections).map(([id, section]) => [id, section.cpuMs])) }
}
