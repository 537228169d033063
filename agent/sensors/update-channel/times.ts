import type { Host } from '../host.ts'

const MAX_ENTRIES = 1024

/** The newest time of `file` in the directories one level below, in seconds since 1970. */
export function newestTime(host: Host, directories: readonly string[], file: string): number | undefined {
  let newest: number | undefined
  for (const directory of directories) {
    const names = host.readDirectory(directory, MAX_ENTRIES)
    for (const name of names.status === 'found' ? names.value : []) {
      const stat = host.stat(`${directory}/${name}/${file}`)
      if (stat.status === 'found') newest = Math.max(newest ?? stat.value.modified, stat.value.modified)
    }
  }
  return newest
}

/** The newest time of the files in a directory whose whole name matches. */
export function newestOf(host: Host, directory: string, name: RegExp): number | undefined {
  const names = host.readDirectory(directory, MAX_ENTRIES)
  let newest: number | undefined
  for (const one of names.status === 'found' ? names.value : []) {
    if (!name.test(one)) continue
    const stat = host.stat(`${directory}/${one}`)
    if (stat.status === 'found') newest = Math.max(newest ?? stat.value.modified, stat.value.modified)
  }
  return newest
}
