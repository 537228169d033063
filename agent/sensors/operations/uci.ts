import { linesOf, wordsOf } from './configuration.ts'

/** One section of a file of OpenWrt's unified configuration interface: `config type 'name'`, `option`, `list`. */
export interface UciSection {
  readonly type: string
  readonly name: string
  /** All values of each option; a list has several. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

const MAX_SECTIONS = 1024

export function parseUci(text: string): readonly UciSection[] {
  const sections: (UciSection & { values: Map<string, string[]> })[] = []
  for (const line of linesOf(text, /^#/)) {
    const [keyword, first = '', second = ''] = wordsOf(line)
    if (keyword === 'config') {
      if (sections.length >= MAX_SECTIONS) return sections
      sections.push({ type: first, name: second, values: new Map() })
    } else if (keyword === 'option') sections.at(-1)?.values.set(first, [second])
    else if (keyword === 'list') {
      const values = sections.at(-1)?.values
      values?.set(first, [...(values.get(first) ?? []), second])
    }
  }
  return sections
}
