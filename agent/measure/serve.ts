import type { Duplex } from 'node:stream'
import { OutcomeError } from '../../shared/errors.ts'
import type { Host } from '../sensors/host.ts'
import { PROBES, type Probe } from './probes.ts'
import { decodeRequest, MAX_REQUEST_BYTES, type ProbeId } from './protocol.ts'
import { systemIdentity } from './system-identity.ts'

export interface ServeOptions {
  readonly host: Host
  /** For the whole request to arrive. */
  readonly requestTimeoutMs?: number
  readonly probes?: Readonly<Record<ProbeId, Probe>>
}

const REQUEST_TIMEOUT_MS = 5_000

/**
 * Takes one request from a connection, gives one answer, and ends it. Where there is nothing to answer the connection
 * is closed without a word, and the reason is thrown. How long all of it may take is the caller's to say.
 */
export async function serve(
  connection: Duplex,
  { host, requestTimeoutMs = REQUEST_TIMEOUT_MS, probes = PROBES }: ServeOptions,
): Promise<void> {
  try {
    const probe = decodeRequest(await readRequest(connection, requestTimeoutMs))
    const system = systemIdentity(host)
    if (system === undefined) throw new Error('/proc/sys/kernel/random/boot_id or / cannot be read')
    const answer = await probes[probe](host, system)
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject)
      connection.end(answer, (error?: Error | null) => (error ? reject(error) : resolve()))
    })
  } finally {
    connection.destroy()
  }
}

/** All bytes until the other side ends its half. */
function readRequest(connection: Duplex, timeoutMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => reject(new Error(`no whole request within ${timeoutMs} ms`)), timeoutMs)
    const settle = (action: () => void): void => {
      clearTimeout(timer)
      action()
    }
    connection.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_REQUEST_BYTES) settle(() => reject(new OutcomeError('cbor.too-large', 'request')))
      else chunks.push(chunk)
    })
    connection.once('end', () => settle(() => resolve(new Uint8Array(Buffer.concat(chunks, size)))))
    connection.once('error', (error) => settle(() => reject(error)))
    connection.once('close', () => settle(() => reject(new Error('the connection was closed'))))
  })
}
