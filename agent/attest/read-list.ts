import { open } from 'node:fs/promises'
import type { Log } from '../log.ts'
import { MAX_LIST_SIZE } from '../../shared/ima/constants.ts'

const CHUNK = 256 * 1024

/**
 * A reader of the kernel's measurement list; null where there is none, or none that may be read: a reason is logged
 * once. Files of securityfs have no size, so they are read until their end.
 */
export function measurementListReader(file: string, log: Log): () => Promise<Uint8Array | null> {
  let told: string | undefined
  const tell = (reason: string): null => {
    if (reason !== told) log.warn(`${file} ${reason}: the measurement list of the kernel is not sent`)
    told = reason
    return null
  }
  return async () => {
    if (file === '') return null
    try {
      const content = await readUpTo(file, MAX_LIST_SIZE)
      if (content === undefined) return tell(`is larger than ${MAX_LIST_SIZE} bytes`)
      return content.length === 0 ? null : content
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      // A kernel without IMA has no such file, and measures nothing that would be missing.
      return code === 'ENOENT' ? null : tell(`cannot be read (${String(code)})`)
    }
  }
}

/** Undefined when there is more than `maximum` bytes of it. */
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
