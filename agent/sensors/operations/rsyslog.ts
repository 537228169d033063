import type { LogTarget } from '../../../shared/posture/sections/operations.ts'
import { printable, printableWord } from '../text.ts'
import { wordsOf, type Configuration } from './configuration.ts'

const MAIN = '/etc/rsyslog.conf'
const MAX_FILES = 128

export interface RsyslogFile {
  readonly targets: readonly LogTarget[]
  /** Other files, with a wildcard only in the ending. */
  readonly includes: readonly string[]
}

/** What the older form of the configuration sets for all that follows: whether TLS is used for `@@`. */
interface Legacy {
  driver: string
  mode: string
}

const tlsOf = ({ driver, mode }: Legacy): LogTarget['tls'] =>
  mode === '1' && /^(?:gtls|ossl)$/.test(driver) ? 'on' : 'off'

/**
 * rsyslog.conf(5), in its older form (`*.* @@host:port`, `$IncludeConfig`) and the newer one (`action(type="omfwd" …)`,
 * `include(file="…")`). A rule may be spread over several lines within parentheses.
 */
export function parseRsyslog(text: string): RsyslogFile {
  const targets: LogTarget[] = []
  const includes: string[] = []
  const legacy: Legacy = { driver: '', mode: '' }
  for (const statement of statementsOf(text)) {
    const setting = /^\$(\w+)\s+(\S.*)$/.exec(statement)
    const [, name = '', value = ''] = setting ?? []
    const directive = name.toLowerCase()
    if (directive === 'includeconfig') includes.push(value.trim())
    else if (directive === 'defaultnetstreamdriver') legacy.driver = value.trim()
    else if (directive === 'actionsendstreamdrivermode') legacy.mode = value.trim()
    else if (setting === null) addRule(statement, legacy, targets, includes)
  }
  return { targets, includes }
}

/** Lines, of which those within parentheses are one; a backslash at the end continues one as well. */
function* statementsOf(text: string): Generator<string> {
  let statement = ''
  let depth = 0
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const continues = trimmed.endsWith('\\')
    statement += ` ${continues ? trimmed.slice(0, -1) : trimmed}`
    // Quoted parentheses open nothing.
    const bare = trimmed.replace(/"[^"]*"/g, '')
    depth += bare.split('(').length - bare.split(')').length
    if (continues || (depth > 0 && statement.length < 65_536)) continue
    yield statement.trim()
    statement = ''
    depth = 0
  }
  if (statement !== '') yield statement.trim()
}

function addRule(statement: string, legacy: Legacy, targets: LogTarget[], includes: string[]): void {
  if (/^global\s*\(/i.test(statement)) {
    legacy.driver = parameter(statement, 'defaultNetstreamDriver') ?? legacy.driver
    return
  }
  const included = /^include\s*\(/i.test(statement) ? parameter(statement, 'file') : undefined
  if (included !== undefined) includes.push(included)
  let hasAction = false
  for (const { parameters, before } of actionsOf(statement)) {
    hasAction = true
    const found = actionTarget(parameters, before, legacy)
    if (found !== undefined) targets.push(found)
  }
  if (hasAction || /^\w+\s*\(/.test(statement)) return
  // The action is the last word; what selects the messages is before it.
  const rule = statement.replace(/\s#.*$/, '').trimEnd()
  const word = Math.max(rule.lastIndexOf(' '), rule.lastIndexOf('\t')) + 1
  const forward = /^(@@?|:omrelp:)(?:\([^)]*\))?([^\s@;]+)/.exec(rule.slice(word))
  if (forward === null || word === 0) return
  const [, sign, address = ''] = forward
  const protocol = sign === '@@' ? 'tcp' : sign === '@' ? 'udp' : 'relp'
  targets.push(target(address, protocol, protocol === 'tcp' ? tlsOf(legacy) : 'off', rule.slice(0, word).trim()))
}

/** What stands within the parentheses of each action, and before the first. */
function* actionsOf(statement: string): Generator<{ parameters: string; before: string }> {
  const opening = /\baction\s*\(/gi
  for (let match = opening.exec(statement); match !== null; match = opening.exec(statement)) {
    const end = statement.indexOf(')', opening.lastIndex)
    if (end < 0) return
    yield { parameters: statement.slice(opening.lastIndex, end), before: statement.slice(0, match.index).trim() }
    opening.lastIndex = end
  }
}

const target = (address: string, protocol: string, tls: LogTarget['tls'], selector: string): LogTarget => ({
  service: 'rsyslog',
  address: printableWord(address, 512),
  protocol: printable(protocol, 128),
  tls,
  selector: printable(selector, 256),
})

const parameter = (text: string, name: string): string | undefined =>
  new RegExp(`\\b${name}\\s*=\\s*"([^"]*)"`, 'i').exec(text)?.[1]

/** omfwd and omrelp; others write here, or into a database. */
function actionTarget(parameters: string, selector: string, legacy: Legacy): LogTarget | undefined {
  const type = parameter(parameters, 'type')?.toLowerCase()
  const host = parameter(parameters, 'target')
  if (host === undefined || (type !== 'omfwd' && type !== 'omrelp')) return undefined
  const port = parameter(parameters, 'port')
  const address = port === undefined ? host : `${host}:${port}`
  if (type === 'omrelp') {
    return target(address, 'relp', parameter(parameters, 'tls')?.toLowerCase() === 'on' ? 'on' : 'off', selector)
  }
  const protocol = parameter(parameters, 'protocol')?.toLowerCase() ?? 'udp'
  const own = {
    driver: parameter(parameters, 'StreamDriver') ?? legacy.driver,
    mode: parameter(parameters, 'StreamDriverMode') ?? legacy.mode,
  }
  return target(address, protocol, protocol === 'tcp' ? tlsOf(own) : 'off', selector)
}

export function readRsyslog(files: Configuration): readonly LogTarget[] {
  const pending = [MAIN]
  const seen = new Set<string>()
  const targets: LogTarget[] = []
  for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
    if (seen.has(path)) continue
    if (seen.size >= MAX_FILES) {
      files.truncated = true
      break
    }
    seen.add(path)
    const text = files.find(path)
    if (text === undefined) continue
    const found = parseRsyslog(text)
    targets.push(...found.targets)
    for (const include of found.includes.flatMap((one) => wordsOf(one))) pending.push(...files.expand(include))
  }
  return targets
}
