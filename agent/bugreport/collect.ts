import { lstat, readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { shownOptions } from '../../shared/config/show.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { version } from '../../shared/version.ts'
import type { LoadedAgentConfig } from '../config/load.ts'
import { agentConfig } from '../config/options.ts'
import type { CheckResult } from '../doctor/check.ts'
import { loadIdentity } from '../state/identity.ts'
import { readStatus } from '../state/status-file.ts'
import { Redactor } from './redact.ts'

const MAX_FILES = 500

export interface BugReport {
  readonly about: string
  readonly redacted: Readonly<Record<string, number>>
  readonly report: unknown
}

/** Everything that is known of this agent, without anything that tells whose it is. No content of any state file. */
export async function bugReport(
  loaded: LoadedAgentConfig,
  checks: readonly (CheckResult & { readonly id: string })[],
): Promise<BugReport> {
  const { values: config } = loaded
  const { directory } = config.state
  const identity = await loadIdentity(directory).catch((error: unknown) =>
    error instanceof KeepsealError ? error.code : 'internal.failure',
  )
  const { vendor, model, hardwareRevision, serial } = typeof identity === 'string' ? config.product : identity.product
  const redactor = new Redactor([
    ['hostname', hostname()],
    ['serial', serial],
    ['vendor', vendor],
    ['model', model],
    ['revision', hardwareRevision],
  ])
  const report = redactor.value({
    versions: { agent: version, node: process.version, flags: process.execArgv },
    platform: { platform: process.platform, architecture: process.arch },
    identity: typeof identity === 'string' ? { code: identity } : { assurance: identity.assurance },
    configuration: shownOptions(agentConfig, loaded),
    checks,
    status: (await readStatus(directory)) ?? null,
    files: await filesIn(directory),
  })
  return {
    about:
      'Read this before you send it. Names of hosts, addresses, serial numbers, tokens and identifiers were replaced; ' +
      'the log is not part of it: journalctl -u keepseal-agent',
    redacted: redactor.counts,
    report,
  }
}

/** What is there, and how large: a full or damaged directory shows. */
async function filesIn(directory: string): Promise<unknown> {
  try {
    const names = (await readdir(directory, { recursive: true })).sort()
    const shown = await Promise.all(
      names.slice(0, MAX_FILES).map(async (name) => {
        const { size, mode, uid, mtimeMs } = await lstat(join(directory, name))
        return { name, size, mode: (mode & 0o7777).toString(8), uid, changed: new Date(mtimeMs).toISOString() }
      }),
    )
    return { count: names.length, shown }
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
  }
}
