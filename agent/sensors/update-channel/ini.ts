/** One group of a file in INI form. Names and values are byte strings, names as they are written. */
export interface IniSection {
  readonly name: string
  /** The last value of a key that stands several times, as the readers of these files have it. */
  readonly entries: Map<string, string>
}

export interface IniFile {
  readonly sections: readonly IniSection[]
  readonly malformed: number
}

const MAX_SECTIONS = 4096

/**
 * The common ground of GLib's key files (RAUC, OSTree, hawkBit client), dnf's and systemd's configuration: `[group]`,
 * `key = value`, comments that begin with `#` or `;`. A line that begins with a blank continues the value before it,
 * as for dnf.
 */
export function parseIni(text: string): IniFile {
  const sections: IniSection[] = []
  let current: Map<string, string> | undefined
  let key: string | undefined
  let malformed = 0
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    const first = trimmed.charAt(0)
    if (first === '' || first === '#' || first === ';') {
      if (first === '') key = undefined
    } else if (first === '[' && trimmed.endsWith(']')) {
      key = undefined
      if (sections.length >= MAX_SECTIONS) return { sections, malformed: malformed + 1 }
      current = new Map()
      sections.push({ name: trimmed.slice(1, -1), entries: current })
    } else if (current === undefined) malformed += 1
    else if (line.charAt(0).trim() === '' && key !== undefined) {
      current.set(key, `${current.get(key) ?? ''} ${trimmed}`.trim())
    } else {
      const equals = trimmed.indexOf('=')
      if (equals <= 0) malformed += 1
      else {
        key = trimmed.slice(0, equals).trim()
        current.set(key, trimmed.slice(equals + 1).trim())
      }
    }
  }
  return { sections, malformed }
}

/** The entries of all groups of that name. */
export function iniEntries(file: IniFile, name: string): ReadonlyMap<string, string> {
  const found = file.sections.filter((section) => section.name === name)
  if (found.length === 1 && found[0] !== undefined) return found[0].entries
  return new Map(found.flatMap(({ entries }) => [...entries]))
}
