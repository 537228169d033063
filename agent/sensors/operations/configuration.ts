import type { Missing } from '../../../shared/posture/observation.ts'
import { MAX_UNREAD, type OperationsContent } from '../../../shared/posture/sections/operations.ts'
import { configurationFiles } from '../drop-ins.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { iniEntries, parseIni } from '../update-channel/ini.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_ENTRIES = 1024

/** Reads configuration, and remembers what is there and could not be read. */
export class Configuration {
  readonly host: Host
  readonly #unread = new Map<string, Missing>()
  /** More could not be read, or stood in the files, than can be told. */
  truncated = false

  constructor(host: Host) {
    this.host = host
  }

  get unread(): OperationsContent['unread'] {
    return [...this.#unread].map(([path, why]) => ({ path, why }))
  }

  /** The text, as a byte string; undefined if the file is absent, or noted as not read. */
  find(path: string): string | undefined {
    const file = this.host.readText(path, MAX_FILE_BYTES)
    if (file.status === 'found') return file.value
    this.note(path, file.status)
    return undefined
  }

  /** Sorted paths of the entries of a directory whose names end so. */
  parts(directory: string, ending: string): readonly string[] {
    const names = this.host.readDirectory(directory, MAX_ENTRIES)
    if (names.status === 'found')
      return names.value.filter((name) => name.endsWith(ending)).map((name) => `${directory}/${name}`)
    this.note(directory, names.status)
    return []
  }

  /** The files that are named: one, or with a wildcard in the last part all of a directory with that ending. */
  expand(path: string): readonly string[] {
    const match = /^(.*)\/\*([^/*?[\]]*)$/.exec(path)
    if (match !== null) return this.parts(match[1] ?? '', match[2] ?? '')
    if (!/[*?[]/.test(path)) return [path]
    this.note(path, 'malformed')
    return []
  }

  /** Values of one section of a configuration of systemd, the last of each name; undefined without any file. */
  systemd(name: string, section: string): ReadonlyMap<string, string> | undefined {
    const values = new Map<string, string>()
    let exists = false
    for (const path of configurationFiles(this.host, name)) {
      const text = this.find(path)
      if (text === undefined) continue
      exists = true
      const file = parseIni(text)
      if (file.malformed > 0) this.note(path, 'malformed')
      for (const [key, value] of iniEntries(file, section)) values.set(key, value)
    }
    return exists ? values : undefined
  }

  note(path: string, why: Missing): void {
    if (why === 'absent') return
    if (this.#unread.size < MAX_UNREAD) this.#unread.set(printable(path, 512), why)
    else this.truncated = true
  }

  /** As many as the section takes. */
  bounded<T>(all: readonly T[], max: number): T[] {
    if (all.length > max) this.truncated = true
    return all.slice(0, max)
  }
}

/** Words of a line in the manner of a shell: blanks separate, quotes of either kind keep together. */
export function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|[^\s"']+/g)].map(([whole, double, single]) => double ?? single ?? whole)
}

/** Lines without comments and blanks around. */
export const linesOf = (text: string, comment: RegExp): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !comment.test(line))

/** The value of a variable in a file of assignments for a shell, as in conf.d of OpenRC; the last one counts. */
export function shellVariable(text: string, name: string): string | undefined {
  const value = [...text.matchAll(new RegExp(`^[ \\t]*${name}=(.*)$`, 'gm'))].at(-1)?.[1]?.trim()
  if (value === undefined) return undefined
  const quoted = /^(["'])(.*)\1/.exec(value)
  return quoted === null ? value.replace(/\s+#.*$/, '') : (quoted[2] ?? '')
}
