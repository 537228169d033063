import { measureBesidePeers, type BesidePeers } from './beside-peers.ts'
import { measureLogs, measureLongList, type ListResult, type LogResult } from './boot.ts'
import { measureHostileLogs, type HostileResult } from './hostile.ts'
import { rounded, toHundredths } from './statistics.ts'

export interface BootResult {
  /** Empty where there are no fixtures. */
  readonly logs: readonly LogResult[]
  readonly lists: readonly ListResult[]
  readonly besidePeers: BesidePeers
  readonly hostile: readonly HostileResult[]
}

export function measureBoot(repository: string, say: (line: string) => void): BootResult {
  say('Replaying boot logs and measurement lists.')
  const logs = measureLogs(repository).map((log) => ({
    ...rounded(log),
    ratioWithNames: toHundredths(log.ratioWithNames),
    ratioToCreateHash: toHundredths(log.ratioToCreateHash),
  }))
  const lists = measureLongList().map(rounded)
  const { quoteAndLog, coldList, steadyList, ...others } = measureBesidePeers()
  const besidePeers = {
    quoteAndLog: rounded(quoteAndLog),
    coldList: rounded(coldList),
    steadyList: rounded(steadyList),
    ...others,
  }
  return { logs, lists, besidePeers, hostile: measureHostileLogs(repository) }
}

interface BootGoals {
  readonly logRatio: number
  readonly listRatio: number
  readonly logsPerCpuSecond: number
  readonly steadyListsPerCpuSecond: number
}

/** Rows of what, measured and goal. */
export function bootRows({ logs, lists, besidePeers, hostile }: BootResult, goals: BootGoals): string[][] {
  const { quoteAndLog, coldList, steadyList, tpm2Checkquote } = besidePeers
  const usual = hostile[0]
  return [
    ...logs.map(({ log, bank, ratio, ratioWithNames, ratioToCreateHash, extends: count }) => [
      `${log}, ${bank}`,
      `${ratio} times its ${count} extends (with names ${ratioWithNames}, to createHash ${ratioToCreateHash})`,
      `at most ${goals.logRatio}`,
    ]),
    ...lists.map(({ format, entries, ratio }) => [
      `list of ${entries}, ${format}`,
      `${ratio} times the hashing of its entries`,
      `at most ${goals.listRatio}`,
    ]),
    [
      `quote and log of ${quoteAndLog.events} events`,
      `${quoteAndLog.perCpuSecond} a CPU-second`,
      `at least ${goals.logsPerCpuSecond}`,
    ],
    [
      `quote and list of ${coldList.entries}`,
      `${coldList.ratio} times the hashing of its entries`,
      `at most ${goals.listRatio}`,
    ],
    [
      `quote and ${steadyList.entries} new entries`,
      `${steadyList.perCpuSecond} a CPU-second`,
      `at least ${goals.steadyListsPerCpuSecond}`,
    ],
    ['tpm2_checkquote', tpm2Checkquote === null ? 'not installed' : `${tpm2Checkquote.perSecond} a second`, ''],
    [
      'hostile logs of 2 MiB',
      `at most ${Math.max(...hostile.map(({ cpuMs }) => cpuMs))} ms and ${Math.max(...hostile.map(({ peakRssMib }) => peakRssMib))} MiB`,
      usual === undefined ? '' : `a usual log: ${usual.cpuMs} ms, ${usual.peakRssMib} MiB`,
    ],
  ]
}
