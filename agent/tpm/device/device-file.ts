import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { KeepsealError } from '../../../shared/errors.ts'
import type { CommandChannel } from './device-tpm.ts'
import { HEADER_BYTES, MAX_MESSAGE_BYTES } from './encode.ts'

/** Another program has the device, or a signal came in between: it is tried again, so often and no more. */
const PASSING: ReadonlySet<string> = new Set(['EBUSY', 'EAGAIN', 'EINTR'])
const ATTEMPTS = 6
const FIRST_WAIT_MS = 20

/**
 * The kernel's device file of a TPM: one write is one command, one read is its answer, and both wait. Throws
 * `tpm.unavailable` where it is none or cannot be opened.
 */
export async function openDeviceFile(path: string): Promise<CommandChannel> {
  const handle = await patiently(path, () => open(path, constants.O_RDWR | constants.O_NOCTTY))
  try {
    // A regular file would take a command, and "answer" with whatever is in it.
    if (!(await handle.stat()).isCharacterDevice()) throw unavailable(path, 'no character device')
  } catch (error) {
    await handle.close()
    throw error
  }
  return deviceChannel(path, handle)
}

/** What is needed of an open file. */
export type DeviceFile = Pick<FileHandle, 'write' | 'read' | 'close'>

export function deviceChannel(path: string, handle: DeviceFile): CommandChannel {
  return {
    send: (command) => exchange(path, handle, command),
    close: () => handle.close(),
  }
}

async function exchange(path: string, handle: DeviceFile, command: Uint8Array): Promise<Uint8Array> {
  const { bytesWritten } = await patiently(path, () => handle.write(command, 0, command.length, null))
  if (bytesWritten !== command.length) throw unavailable(path, `took ${bytesWritten} of ${command.length} bytes`)
  const answer = Buffer.alloc(MAX_MESSAGE_BYTES)
  let received = 0
  while (received < announced(answer, received)) {
    const { bytesRead } = await patiently(path, () => handle.read(answer, received, answer.length - received, null))
    if (bytesRead === 0) break
    received += bytesRead
  }
  return new Uint8Array(answer.subarray(0, received))
}

/** The kernel gives an answer at once. What gives it in pieces is read until it has what its header says. */
function announced(answer: Buffer, received: number): number {
  return received < HEADER_BYTES ? HEADER_BYTES : Math.min(answer.readUInt32BE(2), answer.length)
}

async function patiently<T>(path: string, action: () => Promise<T>): Promise<T> {
  for (let attempt = 1, waitMs = FIRST_WAIT_MS; ; attempt++, waitMs *= 2) {
    try {
      return await action()
    } catch (cause) {
      const { code = String(cause) } = cause as NodeJS.ErrnoException
      if (!PASSING.has(code) || attempt === ATTEMPTS) throw unavailable(path, code, cause)
      await sleep(waitMs)
    }
  }
}

const unavailable = (path: string, detail: string, cause?: unknown): KeepsealError =>
  new KeepsealError('tpm.unavailable', `${path}: ${detail}`, { cause })
