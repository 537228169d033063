import { readdirSync, readFileSync } from 'node:fs'

const TICK_MS = 10

/** Processor time of a process so far, in ms. */
export interface ProcessCpu {
  readonly own: number
  /** Of the children that it has waited for. */
  readonly children: number
}

/** Linux, proc_pid_stat(5): utime and stime are fields 14 and 15, those of children 16 and 17, in ticks. */
export function cpuMsOf(pid: number): ProcessCpu {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const sum = (first: number): number => (Number(fields[first]) + Number(fields[first + 1])) * TICK_MS
  return { own: sum(11), children: sum(13) }
}

/**
 * Processor time of the threads that a process has now, in ms: exact, where ticks miss or overstate what is done in a few
 * milliseconds. Linux, /proc/PID/task/TID/schedstat: its first field is nanoseconds.
 */
export function threadsCpuMs(pid: number): number {
  const threads = `/proc/${pid}/task`
  return readdirSync(threads).reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`${threads}/${thread}/schedstat`, 'utf8').split(' ')
    return sum + Number(nanoseconds) / 1e6
  }, 0)
}
