import { pathMatcher } from '../../../shared/ima/glob.ts'
import type { Missing, Observation } from '../../../shared/posture/observation.ts'
import type { Host } from '../host.ts'
import type { SshdLine } from './ssh-settings.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_FILES = 256
const MAX_LINES = 50_000
const MAX_ENTRIES = 1024
/** As in sshd: a configuration that includes itself is refused by it too. */
const MAX_DEPTH = 16

export interface MatchBlock {
  readonly condition: string
  /** `Match all`, and in no other block than such a one. */
  readonly forAll: boolean
  readonly lines: SshdLine[]
}

export interface SshdConfiguration {
  /** What holds for every connection, `Match all` included: there the first counts, which is why it is a block too. */
  readonly general: SshdLine[]
  readonly matches: MatchBlock[]
}

/** Ends the reading: a configuration of which a part is not known is not known. */
class Unknown extends Error {
  readonly reason: Missing

  constructor(reason: Missing) {
    super(reason)
    this.reason = reason
  }
}

/** Reads sshd_config(5) with all that it includes. */
export function readSshdConfiguration(host: Host, path: string): Observation<SshdConfiguration> {
  const reading = new Reading(host)
  try {
    reading.file(path, 0, undefined)
  } catch (error) {
    if (error instanceof Unknown) return { missing: error.reason }
    throw error
  }
  return { value: { general: reading.general, matches: reading.matches } }
}

class Reading {
  readonly general: SshdLine[] = []
  readonly matches: MatchBlock[] = []
  readonly #host: Host
  #files = 0
  #lines = 0

  constructor(host: Host) {
    this.#host = host
  }

  /** `within`: the Match block in which the file is included. A block of its own ends with the file. */
  file(path: string, depth: number, within: MatchBlock | undefined): void {
    if (depth > MAX_DEPTH) throw new Unknown('malformed')
    if ((this.#files += 1) > MAX_FILES) throw new Unknown('too-large')
    const text = this.#host.readText(path, MAX_FILE_BYTES)
    if (text.status !== 'found') throw new Unknown(text.status)
    let block = within
    for (const line of text.value.split('\n')) {
      const parsed = parseLine(line)
      if (parsed === undefined) continue
      if ((this.#lines += 1) > MAX_LINES) throw new Unknown('too-large')
      if (parsed.keyword === 'include') {
        for (const pattern of parsed.words) {
          for (const file of this.#glob(pattern)) this.file(file, depth + 1, block)
        }
      } else if (parsed.keyword === 'match') {
        const condition = parsed.words.join(' ')
        const outer = within === undefined ? '' : `${within.condition}; `
        const forAll = condition.toLowerCase() === 'all' && (within?.forAll ?? true)
        block = { condition: outer + condition, forAll, lines: [] }
        this.matches.push(block)
      } else {
        block?.lines.push(parsed)
        if (block === undefined || block.forAll) this.general.push(parsed)
      }
    }
  }

  /** glob(7) with `*` and `?`, sorted as sshd has it; a relative path is one below /etc/ssh. */
  #glob(pattern: string): string[] {
    if (/[[{~]/.test(pattern)) throw new Unknown('malformed')
    let paths = ['']
    for (const part of (pattern.startsWith('/') ? pattern : `/etc/ssh/${pattern}`).split('/').slice(1)) {
      if (!/[*?]/.test(part)) {
        paths = paths.map((path) => `${path}/${part}`)
        continue
      }
      const matches = pathMatcher(part)
      paths = paths.flatMap((path) =>
        this.#names(path)
          .filter((name) => matches(name) && name.startsWith('.') === part.startsWith('.'))
          .map((name) => `${path}/${name}`),
      )
      if (paths.length > MAX_FILES) throw new Unknown('too-large')
    }
    return paths.filter((path) => this.#host.stat(path).status !== 'absent')
  }

  #names(directory: string): readonly string[] {
    const names = this.#host.readDirectory(directory === '' ? '/' : directory, MAX_ENTRIES)
    if (names.status === 'found') return names.value
    if (names.status === 'absent') return []
    throw new Unknown(names.status)
  }
}

/** A word in quotation marks, or one without blanks in which a backslash may stand before a blank or a mark. */
const WORD = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:[^\s"'\\]|\\.)+)/y

/** Their value is the rest of the line as it stands, for a shell. */
const COMMANDS: ReadonlySet<string> = new Set([
  'forcecommand',
  'authorizedkeyscommand',
  'authorizedprincipalscommand',
  'versionaddendum',
])

/** Undefined: there is nothing in the line. Throws where sshd would refuse it. */
function parseLine(line: string): SshdLine | undefined {
  const [, keyword, rest = ''] = /^\s*([^\s=#"]+)(?:\s*=\s*|\s+|$)(.*)$/s.exec(line) ?? []
  if (keyword === undefined) {
    if (/^\s*(?:#|$)/.test(line)) return undefined
    throw new Unknown('malformed')
  }
  const words: string[] = []
  const pattern = new RegExp(WORD)
  const text = rest.trim()
  while (pattern.lastIndex < text.length && text[pattern.lastIndex] !== '#') {
    const [, double, single, plain] = pattern.exec(text) ?? []
    const word = double ?? single ?? plain
    if (word === undefined) throw new Unknown('malformed')
    words.push(word.replace(/\\(["'\\ ])/g, '$1'))
    while (/\s/.test(text[pattern.lastIndex] ?? '')) pattern.lastIndex += 1
  }
  if (words.length === 0) throw new Unknown('malformed')
  if (COMMANDS.has(keyword.toLowerCase())) return { keyword: keyword.toLowerCase(), words: text.split(/\s+/) }
  return { keyword: keyword.toLowerCase(), words }
}
