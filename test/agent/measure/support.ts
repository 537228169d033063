import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { SectionsAnswer } from '../../../agent/measure/answer.ts'
import { systemIdentity } from '../../../agent/measure/system-identity.ts'
import type { Host } from '../../../agent/sensors/host.ts'
import { treeHost, type Tree } from '../../support/host-tree.ts'

export const BOOT_ID = '01234567-89ab-cdef-0123-456789abcdef'

/** A system that can be told from others. */
export const identifiedHost = (tree: Tree = {}): Host =>
  treeHost({ '/proc/sys/kernel/random/boot_id': `${BOOT_ID}\n`, ...tree })

/** What a helper of that system says of it. */
export function answerOf(host: Host, over: Partial<SectionsAnswer> = {}): SectionsAnswer {
  const system = systemIdentity(host)
  if (system === undefined) throw new Error('no boot id')
  return { ...system, cpuMs: 5, readings: [], ...over }
}

/** Something that listens in the place of the helper until the test ends; answers with the path of its socket. */
export async function standIn(directory: string, connected: (connection: Socket) => void): Promise<string> {
  const path = join(directory, 'measure.sock')
  const connections = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    connections.add(connection)
    connection.on('error', () => undefined)
    connected(connection)
  })
  await new Promise<void>((resolve) => server.listen({ path }, resolve))
  chmodSync(path, 0o600)
  onTestFinished(() => {
    for (const connection of connections) connection.destroy()
    server.close()
  })
  return path
}

/** Takes the whole request, then says this and ends. */
export const saying =
  (bytes: Uint8Array) =>
  (connection: Socket): void => {
    connection.resume().once('end', () => connection.end(bytes))
  }
