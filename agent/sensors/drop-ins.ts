import type { Host } from './host.ts'

/** Where systemd looks for the configuration of its parts, the first before the others: for example journald.conf(5). */
const DIRECTORIES = [
  '/etc/systemd',
  '/run/systemd',
  '/usr/local/lib/systemd',
  '/usr/lib/systemd',
  '/lib/systemd',
] as const
const MAX_ENTRIES = 1024

/**
 * The files that make up one configuration, in the order in which later ones prevail: the first main file that is
 * there, and then the drop-ins by their names, of which the first of each name counts.
 */
export function configurationFiles(host: Host, name: string): readonly string[] {
  const main = DIRECTORIES.map((directory) => `${directory}/${name}`).find(
    (path) => host.stat(path).status !== 'absent',
  )
  const dropIns = new Map<string, string>()
  for (const directory of DIRECTORIES) {
    const entries = host.readDirectory(`${directory}/${name}.d`, MAX_ENTRIES)
    // A directory that cannot be listed is named itself: whoever reads it learns why.
    if (entries.status !== 'found' && entries.status !== 'absent') dropIns.set('', `${directory}/${name}.d`)
    for (const entry of entries.status === 'found' ? entries.value : []) {
      if (entry.endsWith('.conf') && !dropIns.has(entry)) dropIns.set(entry, `${directory}/${name}.d/${entry}`)
    }
  }
  const sorted = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  return main === undefined ? sorted : [main, ...sorted]
}
