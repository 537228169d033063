import type { Host } from './host.ts'

/**
 * After this time a result is made anew though nothing seems to have changed: the longest that a change can stay
 * unseen whose author set back the times of file and inode, which takes root and the system clock.
 */
const MAX_AGE_SECONDS = 6 * 3600

interface Kept<T> {
  readonly value: T
  readonly identity: string
  readonly madeAt: number
}

/**
 * Keeps the result of reading some large files while none of them has changed by device, inode, size, or time of
 * content or inode. For a path that cannot be looked at, the reason stands for its identity.
 */
export class Unchanged<T> {
  readonly #kept = new WeakMap<Host, Kept<T>>()
  readonly #maxAgeSeconds: number

  constructor(maxAgeSeconds = MAX_AGE_SECONDS) {
    this.#maxAgeSeconds = maxAgeSeconds
  }

  /** What `make` throws is not kept. The identity is taken first: whoever writes meanwhile changes it once more. */
  get(host: Host, paths: readonly string[], make: () => T): T {
    return this.getAs(host, identitiesOf(host, paths), make)
  }

  /** The same for whoever has just looked at the identity. */
  getAs(host: Host, identity: string, make: () => T): T {
    const kept = this.#kept.get(host)
    const age = kept === undefined ? 0 : host.now() - kept.madeAt
    if (kept?.identity === identity && age >= 0 && age < this.#maxAgeSeconds) return kept.value
    const madeAt = host.now()
    this.#kept.delete(host)
    const value = make()
    this.#kept.set(host, { value, identity, madeAt })
    if (value instanceof Promise) value.catch(() => this.#kept.delete(host))
    return value
  }
}

/** What becomes another when one of them does, or its reason not to be looked at. */
export function identitiesOf(host: Host, paths: readonly string[]): string {
  const one = (path: string): string => {
    const stat = host.stat(path)
    return stat.status === 'found' ? stat.value.identity : stat.status
  }
  return paths.map((path) => `${path}=${one(path)}`).join('\n')
}

const MAX_ENTRIES = 1024

/** Directories and what is in them. Of one that cannot be listed, only what tells when something was put into it. */
export const withEntries = (host: Host, directories: readonly string[]): string[] =>
  directories.flatMap((directory) => {
    const names = host.readDirectory(directory, MAX_ENTRIES)
    return [directory, ...(names.status === 'found' ? names.value : []).map((name) => `${directory}/${name}`)]
  })

const MAX_FILES = 512

/** The same for many small files, each by itself. */
export class UnchangedFiles<T> {
  readonly #hosts = new WeakMap<Host, Map<string, Unchanged<T>>>()

  get(host: Host, path: string, make: () => T): T {
    const files = this.#hosts.get(host) ?? new Map<string, Unchanged<T>>()
    this.#hosts.set(host, files)
    const file = files.get(path) ?? new Unchanged<T>()
    // Whoever makes up names without end gets no memory for them.
    if (files.size < MAX_FILES) files.set(path, file)
    return file.get(host, [path], make)
  }
}
