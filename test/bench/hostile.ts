import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agileLog, goodBoot } from '../support/eventlog-builder.ts'
import { hostileLogs } from '../support/hostile-logs.ts'
import type { AppraisedLogFile } from './appraise-log-file.ts'

export interface HostileResult extends AppraisedLogFile {
  readonly title: string
  readonly bytes: number
}

/** Each log in a process of its own, whose highest memory is its own; the first is a usual log, for comparison. */
export function measureHostileLogs(repository: string): HostileResult[] {
  const script = join(repository, 'dist', 'test', 'bench', 'appraise-log-file.js')
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  const usual = { title: 'a usual log', log: agileLog(goodBoot(), ['sha256']) }
  try {
    return [usual, ...hostileLogs()].map(({ title, log }) => {
      const file = join(directory, 'log')
      writeFileSync(file, log)
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`appraising "${title}" ended with ${status}: ${stderr}`)
      return { title, bytes: log.length, ...(JSON.parse(stdout) as AppraisedLogFile) }
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
