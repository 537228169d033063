/** What sections write, of a field or of themselves, where privileges were wanting. */
const HIDDEN = 'no-permission'

/** Names that stand for the field around them: an observation's reason, an entry's status. */
const REASONS: ReadonlySet<string> = new Set(['missing', 'status'])

/** More of them say nothing more. */
const MAX_SHOWN = 8

/** Where a section's content says that something may not be looked at, as `kernel.lockdown`; each place once. */
export function hiddenFields(content: unknown): readonly string[] {
  const found = new Set<string>()
  const visit = (value: unknown, path: readonly string[]): void => {
    if (value === HIDDEN) found.add(path.join('.'))
    else if (Array.isArray(value)) for (const entry of value) visit(entry, path)
    else if (typeof value === 'object' && value !== null) {
      for (const [name, field] of Object.entries(value)) visit(field, REASONS.has(name) ? path : [...path, name])
    }
  }
  visit(content, [])
  const names = [...found]
  return names.length <= MAX_SHOWN ? names : [...names.slice(0, MAX_SHOWN), `${names.length - MAX_SHOWN} more`]
}
