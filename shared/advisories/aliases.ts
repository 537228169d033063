/** A record and the other names that it has for itself, or is about. */
interface Named {
  readonly id: string
  readonly aliases: readonly string[]
}

/** `CVE-2026-1234` out of `UBUNTU-CVE-2026-1234` and others that distributions made of it. */
export const cveOf = (name: string): string | undefined => /CVE-\d{4}-\d{4,19}/.exec(name)?.[0]

/** The CVE names of a record, its own included, in order. */
export const cvesOf = ({ id, aliases }: Named): readonly string[] =>
  [...new Set([id, ...aliases].map(cveOf))].filter((name) => name !== undefined).sort()

/**
 * Names that mean the same vulnerability, by what records say of each other. Aliases go round in circles, through records
 * that are not there and through each other: each name is in exactly one group. A record about several vulnerabilities
 * does not make them one.
 */
export function groupsOf(records: readonly Named[]): readonly (readonly string[])[] {
  const parents = new Map<string, string>()
  const rootOf = (name: string): string => {
    let root = name
    for (let next = parents.get(root) ?? root; next !== root; next = parents.get(root) ?? root) root = next
    // Flat for the next time, whatever the depth was.
    for (let at = name; at !== root;) {
      const next = parents.get(at) ?? root
      parents.set(at, root)
      at = next
    }
    return root
  }
  for (const record of records) {
    if (!parents.has(record.id)) parents.set(record.id, record.id)
    if (cvesOf(record).length > 1) continue
    for (const alias of record.aliases) {
      if (!parents.has(alias)) parents.set(alias, alias)
      parents.set(rootOf(alias), rootOf(record.id))
    }
  }
  const groups = new Map<string, string[]>()
  for (const name of parents.keys()) {
    const root = rootOf(name)
    const group = groups.get(root)
    if (group === undefined) groups.set(root, [name])
    else group.push(name)
  }
  return [...groups.values()].map((group) => group.sort())
}
