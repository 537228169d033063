import { spawnSync } from 'node:child_process'

export interface ChildRun {
  /** CPU time of the command and of all that it waited for, from start to end. */
  readonly cpuMs: number
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. */
export function runCounted(command: readonly string[], timeoutMs = 60_000): ChildRun {
  // `times` tells the CPU time of the shell's children, which Node tells of its own process alone.
  const script = '"$@"; status=$?; times >&2; exit $status'
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', ...command], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: timeoutMs,
  })
  return { cpuMs: childCpuMs(stderr), status, stdout, stderr }
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
