import type { Missing, Observation } from '../../../shared/posture/observation.ts'
import {
  MAX_WITHOUT_PASSWORD,
  PRIVILEGE_PROGRAMS,
  type AccessContent,
  type PrivilegeRules,
} from '../../../shared/posture/sections/access.ts'
import { digestOf, significantLines } from '../digest.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_FILES = 256
const MAX_DEPTH = 16
const MAX_LINES = 50_000

type Rules = Observation<readonly string[]>

/** What sudo and doas allow, of those that are set up here. */
export function readPrivileges(host: Host): AccessContent['privileges'] {
  const read = { sudo: () => readSudoers(host), doas: () => readDoas(host) }
  return PRIVILEGE_PROGRAMS.map((program) => ({ program, rules: shown(read[program]()) })).filter(
    ({ rules }) => !('missing' in rules && rules.missing === 'absent'),
  )
}

/** sudoers(5): a tag of a rule, an option of Defaults, and a group that is exempt; doas.conf(5): an option. */
const WITHOUT_PASSWORD = /\bNOPASSWD\b|!\s*authenticate\b|\bexempt_group\b|^permit\b.*\bnopass\b/

function shown(rules: Rules): Observation<PrivilegeRules> {
  if ('missing' in rules) return rules
  const withoutPassword = rules.value.filter((line) => WITHOUT_PASSWORD.test(line))
  return {
    value: {
      count: rules.value.length,
      digest: digestOf(rules.value.join('\n')),
      withoutPassword: withoutPassword.slice(0, MAX_WITHOUT_PASSWORD).map((line) => printable(line, 512)),
    },
  }
}

class Unknown extends Error {
  readonly reason: Missing

  constructor(reason: Missing) {
    super(reason)
    this.reason = reason
  }
}

function attempt(read: () => readonly string[]): Rules {
  try {
    return { value: read() }
  } catch (error) {
    if (error instanceof Unknown) return { missing: error.reason }
    throw error
  }
}

/** Undefined: there is no such file. */
function textOf(host: Host, path: string): string | undefined {
  const file = host.readText(path, MAX_FILE_BYTES)
  if (file.status === 'absent') return undefined
  if (file.status !== 'found') throw new Unknown(file.status)
  return file.value
}

/** Sorted paths of the files of a directory; none where it is absent. */
function filesIn(host: Host, directory: string, counts: (name: string) => boolean): string[] {
  const names = host.readDirectory(directory, MAX_FILES)
  if (names.status === 'absent') return []
  if (names.status !== 'found') throw new Unknown(names.status)
  return names.value.filter(counts).map((name) => `${directory}/${name}`)
}

/** The lines of sudoers(5) and of what it includes, in their order, which decides: the last rule that fits counts. */
function readSudoers(host: Host): Rules {
  const lines: string[] = []
  let files = 0
  const add = (line: string): void => {
    if (lines.push(line) > MAX_LINES) throw new Unknown('too-large')
  }
  const read = (path: string, depth: number, text: string): void => {
    if (depth > MAX_DEPTH || (files += 1) > MAX_FILES) throw new Unknown('too-large')
    for (const line of sudoersLines(text)) {
      const [, kind, target = ''] = /^[@#](include|includedir) "?([^"]*)"?$/.exec(line) ?? []
      const at = target.startsWith('/') ? target : `${path.slice(0, path.lastIndexOf('/'))}/${target}`
      if (kind === 'includedir') {
        // sudoers(5): not what a package manager or an editor has left behind.
        const parts = filesIn(host, at.replace(/\/+$/, ''), (name) => !name.includes('.') && !name.endsWith('~'))
        for (const part of parts) read(part, depth + 1, textOf(host, part) ?? '')
      } else if (kind === 'include') {
        // The name of this unit would be in the path.
        if (/%./.test(at)) throw new Unknown('malformed')
        const included = textOf(host, at)
        // What is missing is told as it stands, and all else counts: sudo goes on without it.
        if (included === undefined) add(line)
        else read(at, depth + 1, included)
      } else add(line)
    }
  }
  return attempt(() => {
    const text = textOf(host, '/etc/sudoers')
    if (text === undefined) throw new Unknown('absent')
    read('/etc/sudoers', 0, text)
    return lines
  })
}

/** Lines that go on are joined. `#` begins a comment unless it is a user number, or begins an include. */
function sudoersLines(text: string): string[] {
  return text
    .replace(/\\\r?\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .map((line) => (line.includes('"') ? line : line.replace(/(^| )#(?![-\d]|include(?:dir)? ).*$/, '').trim()))
    .filter((line) => line !== '' && !/^#(?![-\d]|include(?:dir)? )/.test(line))
}

function readDoas(host: Host): Rules {
  return attempt(() => {
    const single = host.readText('/etc/doas.conf', MAX_FILE_BYTES)
    if (single.status !== 'found' && single.status !== 'absent') throw new Unknown(single.status)
    const parts = filesIn(host, '/etc/doas.d', (name) => name.endsWith('.conf')).flatMap(
      (path) => textOf(host, path) ?? [],
    )
    if (single.status === 'absent' && parts.length === 0) throw new Unknown('absent')
    return [...(single.status === 'found' ? [single.value] : []), ...parts].flatMap(significantLines)
  })
}
