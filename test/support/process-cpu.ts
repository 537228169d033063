import { readFileSync } from 'node:fs'

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
