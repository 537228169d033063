import { connect } from 'node:net'
import { encodeRequest, MAX_ANSWER_BYTES, type ProbeId } from '../protocol.ts'
import { distrustSocket } from '../trusted-place.ts'
import { absent, refused, type Asked } from './asked.ts'

/** For a helper that is started for each connection, measures, and may run commands: on a slow gateway its start alone takes ten seconds. */
export const ANSWER_TIMEOUT_MS = 60_000

/** Asks for one probe and takes the whole answer, of bounded size within a bounded time. Never rejects. */
export async function exchange(
  path: string,
  probe: ProbeId,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): Promise<Asked<Uint8Array>> {
  try {
    const distrusted = distrustSocket(path)
    if (distrusted !== undefined) return refused('untrusted-socket', distrusted)
  } catch (error) {
    return fromSystem(path, error)
  }
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let size = 0
    // Half open: the end of the request says that it is whole, and the answer comes after it.
    const socket = connect({ path, allowHalfOpen: true })
    const finish = (result: Asked<Uint8Array>): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    // Of the whole exchange: one that counted from the last byte could be kept waiting for ever.
    const timer = setTimeout(() => finish(refused('late', `no whole answer within ${timeoutMs} ms`)), timeoutMs)
    socket.on('error', (error) => finish(fromSystem(path, error)))
    socket.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > MAX_ANSWER_BYTES[probe]) {
        return finish(refused('too-large', `the answer has more than ${MAX_ANSWER_BYTES[probe]} bytes`))
      }
      chunks.push(chunk)
    })
    socket.on('end', () => {
      if (size === 0) return finish(refused('no-answer', 'the helper closed the connection without an answer'))
      const { buffer, byteOffset } = Buffer.concat(chunks, size)
      finish({ status: 'answered', answer: new Uint8Array(buffer, byteOffset, size) })
    })
    socket.end(encodeRequest(probe))
  })
}

function fromSystem(path: string, error: unknown): Exclude<Asked<never>, { status: 'answered' }> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return absent(`${path} does not exist`)
    case 'ECONNREFUSED':
      return absent(`nothing listens at ${path}`)
    case 'EACCES':
    case 'EPERM':
      return refused('no-permission', `${path} may not be connected to`)
    default:
      return refused('no-answer', `the connection to ${path} failed (${code})`)
  }
}
