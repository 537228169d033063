import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { SensorFailure } from '../sensor.ts'
import type { Namespaces } from './namespaces.ts'
import { parsePacketTable, parseSctpEndpoints } from './other-tables.ts'
import { INET_TABLES, parseSocketTable, type TableContent } from './proc-net.ts'
import type { NamespacesSight } from './processes.ts'

const MAX_TABLE_BYTES = 24 * 1024 * 1024

type TableReader = (file: Buffer) => TableContent

export interface Tables extends TableContent {
  /** Those that there are. */
  readonly names: readonly string[]
}

/** Every table of a network namespace, by its path below /proc/net. */
function readers(host: Host): readonly (readonly [table: string, read: TableReader])[] {
  return [
    ...INET_TABLES.map((table) => [table, (file: Buffer) => parseSocketTable(table, file, host.byteOrder)] as const),
    ['packet', (file) => parsePacketTable(file.toString('latin1'))],
    ['sctp/eps', (file) => parseSctpEndpoints(file.toString('latin1'))],
  ]
}

/** Reads the tables below `directory`, or some of them. Throws SensorFailure where one is there and cannot be read. */
export function readTables(host: Host, directory: string, only?: readonly string[]): Tables {
  const names: string[] = []
  const sockets: TableContent['sockets'][number][] = []
  let malformed = 0
  for (const [table, read] of readers(host)) {
    if (only?.includes(table) === false) continue
    const path = `${directory}/${table}`
    const file = required(host.readFile(path, MAX_TABLE_BYTES), path, 'file')
    if (file === undefined) continue
    names.push(table)
    const content = read(file)
    for (const socket of content.sockets) sockets.push(socket)
    malformed += content.malformed
  }
  return { names, sockets, malformed }
}

/** Those of namespaces other than the first, each socket with what its namespace is called. */
export function readOtherTables(
  host: Host,
  { sight, others }: Pick<Namespaces, 'sight' | 'others'>,
): Tables & { readonly sight: NamespacesSight } {
  const sockets: TableContent['sockets'][number][] = []
  let malformed = 0
  let seen = sight
  for (const { directory, label, isStill } of others) {
    try {
      const tables = readTables(host, directory)
      if (!isStill()) continue
      malformed += tables.malformed
      if (tables.sockets.length === 0) continue
      const namespace = label()
      for (const socket of tables.sockets) sockets.push({ ...socket, namespace })
    } catch (error) {
      if (!(error instanceof SensorFailure)) throw error
      if (isStill()) seen = error.reading.status === 'no-permission' ? 'no-permission' : 'unreadable'
    }
  }
  return { names: [], sockets, malformed, sight: seen }
}
