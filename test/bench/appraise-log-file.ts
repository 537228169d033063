import { readFileSync } from 'node:fs'
import { hash } from '../../shared/crypto/node.ts'
import { verifyEventLog } from '../../shared/eventlog/match.ts'
import { parseEventLog } from '../../shared/eventlog/parse.ts'
import { replayBank } from '../../shared/eventlog/replay.ts'
import { checkFirmwarePcrs } from '../../shared/eventlog/rules.ts'
import { secureBootState } from '../../shared/eventlog/secure-boot.ts'

/** What one process needed to appraise one log as a collector does. */
export interface AppraisedLogFile {
  readonly cpuMs: number
  readonly peakRssMib: number
  readonly secureBoot: boolean | 'unknown'
}

/** The values that the log itself leads to stand for quoted ones: the worst case, in which nothing ends it early. */
function appraiseLogFile(path: string): AppraisedLogFile {
  const bytes = readFileSync(path)
  const quoted = replayBank(parseEventLog(bytes), 'sha256', hash)
  const before = process.cpuUsage()
  const replayed = verifyEventLog(parseEventLog(bytes), 'sha256', quoted, hash)
  checkFirmwarePcrs(replayed, hash)
  const { enabled } = secureBootState(replayed, hash)
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: Math.round((user + system) / 1000), peakRssMib: peakRssMib(), secureBoot: enabled }
}

/** Linux, proc(5). The maximum that getrusage tells of a new process begins with the memory of the one that made it. */
function peakRssMib(): number {
  const kib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  return Math.round(kib / 1024)
}

const [, , path] = process.argv
if (path === undefined) throw new Error('usage: appraise-log-file LOG')
process.stdout.write(`${JSON.stringify(appraiseLogFile(path))}\n`)
