import { connect, type Socket } from 'node:net'
import type { CommandChannel } from '../../agent/tpm/device/device-tpm.ts'
import { KeepsealError } from '../../shared/errors.ts'

/**
 * The data channel of swtpm carries what the kernel's device file does: a command in, its answer out. Here the header
 * alone tells where an answer ends.
 */
export async function swtpmChannel(tcti: string): Promise<CommandChannel> {
  const port = Number(/port=(\d+)/.exec(tcti)?.[1])
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opening: Socket = connect(port, '127.0.0.1', () => resolve(opening))
    opening.once('error', reject)
  })
  return {
    send: (command) =>
      new Promise((resolve, reject) => {
        let received = Buffer.alloc(0)
        const fail = (): void => reject(new KeepsealError('tpm.unavailable', 'the socket was closed'))
        const take = (chunk: Buffer): void => {
          received = Buffer.concat([received, chunk])
          if (received.length < 10 || received.length < received.readUInt32BE(2)) return
          socket.off('data', take).off('close', fail)
          resolve(new Uint8Array(received))
        }
        socket.on('data', take).once('close', fail)
        socket.write(command)
      }),
    close: () =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve()
        socket.once('close', () => resolve())
        socket.destroy()
      }),
  }
}
