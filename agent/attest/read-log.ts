import { open } from 'node:fs/promises'
import type { Log } from '../log.ts'
import type { Helper } from '../measure/client/helper.ts'
import { LOGS, type LogProbe } from '../measure/protocol.ts'

const CHUNK = 256 * 1024

export interface LogReaderOptions {
  /** Which log it is, and how the helper is asked for it. */
  readonly probe: LogProbe
  /** As people call it. */
  readonly title: string
  /** Where it is; empty for none. */
  readonly file: string
  readonly helper: Pick<Helper, 'log'>
  readonly log: Log
  /** Undefined when there is more than `maximum` bytes of it. Rejects as the file system does. */
  readonly read?: (file: string, maximum: number) => Promise<Uint8Array | undefined>
}

/**
 * A reader of one of the system's logs; null where there is none, or none that may be read: a reason is logged once.
 * Where this process may not read it, the helper is asked, which reads no other file than the system's own.
 */
export function logReader({
  probe,
  title,
  file,
  helper,
  log,
  read = readUpTo,
}: LogReaderOptions): () => Promise<Uint8Array | null> {
  let told: string | undefined
  const tell = (reason: string): null => {
    if (reason !== told) log.warn(`${file} ${reason}: the ${title} is not sent`)
    told = reason
    return null
  }
  const throughHelper = async (code: string): Promise<Uint8Array | null> => {
    if (file !== LOGS[probe].path) return tell(`cannot be read (${code})`)
    const asked = await helper.log(probe)
    if (asked.status !== 'answered')
      return tell(`cannot be read (${code}), and the privileged helper is ${asked.status}`)
    const { log: found } = asked.answer
    if (found.status === 'absent') return null
    if (found.status !== 'found') return tell(`cannot be read by the privileged helper (${found.status})`)
    told = undefined
    return found.content.length === 0 ? null : found.content
  }
  return async () => {
    if (file === '') return null
    const { maxBytes } = LOGS[probe]
    try {
      const content = await read(file, maxBytes)
      if (content === undefined) return tell(`is larger than ${maxBytes} bytes`)
      return content.length === 0 ? null : content
    } catch (error) {
      const code = String(error instanceof Error && 'code' in error ? error.code : undefined)
      // A system without it has no such file, and measures nothing that would be missing.
      if (code === 'ENOENT') return null
      return code === 'EACCES' || code === 'EPERM' ? throughHelper(code) : tell(`cannot be read (${code})`)
    }
  }
}

/** Files of securityfs have no size, so they are read until their end. */
async function readUpTo(file: string, maximum: number): Promise<Uint8Array | undefined> {
  const handle = await open(file, 'r')
  try {
    const chunks: Uint8Array[] = []
    let size = 0
    while (size <= maximum) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK), 0, CHUNK, null)
      if (bytesRead === 0) return new Uint8Array(Buffer.concat(chunks, size))
      chunks.push(buffer.subarray(0, bytesRead))
      size += bytesRead
    }
    return undefined
  } finally {
    await handle.close()
  }
}
