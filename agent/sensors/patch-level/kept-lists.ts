import type { Host } from '../host.ts'
import type { ListReading, NameSet } from './package-list.ts'

/** As in ../unchanged.ts. */
const MAX_AGE_SECONDS = 6 * 3600

interface KeptList {
  readonly identity: string
  readonly madeAt: number
  /** The names that were looked for. */
  readonly names: ReadonlySet<string>
  readonly reading: ListReading
}

/**
 * Remembers what each list had of the installed packages. A list of security updates changes every day and the one of
 * all that a distribution has hardly ever; an update changes the versions that are installed and rarely their names.
 * So the large list, which costs the most, is read once.
 */
export class KeptLists {
  readonly #hosts = new WeakMap<Host, Map<string, KeptList>>()

  /** What `read` tells of the list, or has told of the same one about the same names. Throws what `read` throws. */
  async get(host: Host, path: string, names: NameSet, read: () => Promise<ListReading>): Promise<ListReading> {
    const lists = this.#hosts.get(host) ?? new Map<string, KeptList>()
    this.#hosts.set(host, lists)
    // Taken first: whoever writes meanwhile changes it once more.
    const stat = host.stat(path)
    const identity = stat.status === 'found' ? stat.value.identity : undefined
    const kept = lists.get(path)
    const age = kept === undefined ? 0 : host.now() - kept.madeAt
    if (kept !== undefined && kept.identity === identity && age >= 0 && age < MAX_AGE_SECONDS) {
      if ([...names.keys()].every((name) => kept.names.has(name))) return kept.reading
    }
    lists.delete(path)
    const madeAt = host.now()
    const reading = await read()
    if (identity !== undefined) lists.set(path, { identity, madeAt, names: new Set(names.keys()), reading })
    return reading
  }

  /** Forgets all lists but these. */
  keepOnly(host: Host, paths: ReadonlySet<string>): void {
    for (const path of this.#hosts.get(host)?.keys() ?? []) {
      if (!paths.has(path)) this.#hosts.get(host)?.delete(path)
    }
  }
}
