import { createHash } from 'node:crypto'
import type { Observation } from '../../../shared/posture/observation.ts'
import type { OperationsContent } from '../../../shared/posture/sections/operations.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { runState } from '../services.ts'
import { linesOf } from './configuration.ts'

type Audit = OperationsContent['audit']
type Rules = Extract<Audit['rules'], { value: unknown }>['value']

/** augenrules(8) makes the second out of the first. */
const DIRECTORY = '/etc/audit/rules.d'
const MERGED = '/etc/audit/audit.rules'
const COMMAND_LINE = '/proc/cmdline'
const LOGIN_ID = '/proc/self/loginuid'
const MAX_FILES = 256
const MAX_BYTES = 1024 * 1024

export const AUDIT_READS = `${DIRECTORY} or ${MERGED}, ${COMMAND_LINE}, ${LOGIN_ID}`

/** audit.rules(7): one rule a line, whose order counts. Blanks between its words do not. */
export function parseAuditRules(texts: readonly string[]): Rules {
  const rules = texts.flatMap((text) => linesOf(text, /^#/).map((line) => line.replace(/\s+/g, ' ')))
  return {
    count: rules.length,
    digest: createHash('sha256')
      .update(rules.map((rule) => `${rule}\n`).join(''), 'latin1')
      .digest('hex'),
    locked: rules.some((rule) => /^-e\s?2$/.test(rule)),
  }
}

function readRules(host: Host): Observation<Rules> {
  const names = host.readDirectory(DIRECTORY, MAX_FILES)
  if (names.status !== 'found' && names.status !== 'absent') return { missing: names.status }
  const parts = (names.status === 'found' ? names.value : []).filter((name) => name.endsWith('.rules'))
  const paths = parts.length > 0 ? parts.map((name) => `${DIRECTORY}/${name}`) : [MERGED]
  const texts: string[] = []
  for (const path of paths) {
    const file = host.readText(path, MAX_BYTES)
    // A link that leads nowhere holds no rules, and does not make all others unknown.
    if (file.status === 'absent' && path !== MERGED) continue
    if (file.status !== 'found') return { missing: file.status }
    texts.push(file.value)
  }
  return { value: parseAuditRules(texts) }
}

/** kernel-parameters: `audit=` with 0 or off, 1 or on; the last one counts. */
function readCommandLine(host: Host): Audit['commandLine'] {
  return observed(host.readText(COMMAND_LINE, 64 * 1024), (text) => {
    const value = [...text.matchAll(/(?:^|\s)audit=(\S*)/g)].at(-1)?.[1]
    if (value === undefined) return { value: 'default' }
    return { value: value === '0' || value === 'off' ? 'off' : 'on' }
  })
}

/** The file is there where the kernel was built with audit. What it says is the login of the agent, which has none. */
function readLoginIds(host: Host): Observation<boolean> {
  const self = host.stat('/proc/self')
  if (self.status !== 'found') return { missing: self.status }
  const { status } = host.stat(LOGIN_ID)
  if (status === 'found' || status === 'absent') return { value: status === 'found' }
  return { missing: status }
}

export function readAudit(host: Host): Audit {
  const state = runState(host, { systemd: ['auditd'], scripts: ['auditd'] })
  return {
    services: state === 'absent' ? [] : [{ service: 'auditd', state }],
    commandLine: readCommandLine(host),
    loginIds: readLoginIds(host),
    rules: readRules(host),
  }
}
