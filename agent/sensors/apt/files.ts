import type { Host } from '../host.ts'
import { printable } from '../text.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_ENTRIES = 1024
const MAX_NOTED = 64

/** Reads apt's files and remembers those that are there and could not be read. */
export class AptFiles {
  readonly #host: Host
  readonly #unreadable = new Set<string>()

  constructor(host: Host) {
    this.#host = host
  }

  /** Paths, at most a bounded number of them. */
  get unreadable(): string[] {
    return [...this.#unreadable].slice(0, MAX_NOTED)
  }

  /** The text, as a byte string. Empty if the file is absent or noted as unreadable. */
  text(path: string): string {
    const file = this.#host.readText(path, MAX_FILE_BYTES)
    if (file.status === 'found') return file.value
    if (file.status !== 'absent') this.#unreadable.add(printable(path, 512))
    return ''
  }

  /** Paths of the files in a directory of parts whose whole name matches, in apt's order. */
  parts(directory: string, name: RegExp): string[] {
    const names = this.#host.readDirectory(directory, MAX_ENTRIES)
    if (names.status === 'found') return names.value.filter((one) => name.test(one)).map((one) => `${directory}/${one}`)
    if (names.status !== 'absent') this.#unreadable.add(directory)
    return []
  }
}
