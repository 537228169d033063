import type { Host, HostResult } from '../host.ts'
import { required } from '../required.ts'
import { printable } from '../text.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_ENTRIES = 1024
const MAX_NOTED = 64

/** Reads the configuration of one update manager and remembers what is there and could not be read. */
export class ChannelFiles {
  readonly host: Host
  readonly #unreadable = new Set<string>()
  #first: (() => undefined) | undefined

  constructor(host: Host) {
    this.host = host
  }

  /** Paths, at most a bounded number of them. */
  get unreadable(): string[] {
    return [...this.#unreadable].slice(0, MAX_NOTED)
  }

  /** The text, as a byte string; undefined if the file is absent, or noted as unreadable. */
  find(path: string): string | undefined {
    const file = this.host.readText(path, MAX_FILE_BYTES)
    if (file.status === 'found') return file.value
    if (file.status !== 'absent') this.#note(file, path, 'file')
    return undefined
  }

  /** The same, where a file that is absent says as much as an empty one. */
  text(path: string): string {
    return this.find(path) ?? ''
  }

  /** Sorted paths of the entries of a directory whose whole name matches. */
  parts(directory: string, name: RegExp): string[] {
    const names = this.host.readDirectory(directory, MAX_ENTRIES)
    if (names.status === 'found') return names.value.filter((one) => name.test(one)).map((one) => `${directory}/${one}`)
    if (names.status !== 'absent') this.#note(names, directory, 'directory')
    return []
  }

  /**
   * For a manager of which nothing could be read: undefined if it is not there. Throws SensorFailure if it may be,
   * which is never the same as not being there.
   */
  absent(): undefined {
    return this.#first?.()
  }

  #note(result: HostResult<unknown>, path: string, kind: 'file' | 'directory'): void {
    const shown = printable(path, 512)
    this.#unreadable.add(shown)
    this.#first ??= () => required(result, shown, kind) as undefined
  }
}
