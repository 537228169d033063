import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/** Commands to qemu's monitor (QMP), one connection for all of them. */
export async function monitor(path: string, commands: readonly (readonly [string, object])[]): Promise<void> {
  const socket = connect(path)
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    /** The next line that is an answer: events come in between. */
    const answer = async (): Promise<void> => {
      for (;;) {
        const { value, done } = await lines.next()
        if (done === true) throw new Error('qemu has closed its monitor')
        const message = JSON.parse(String(value)) as { return?: unknown; error?: { desc: string }; QMP?: unknown }
        if (message.error !== undefined) throw new Error(`qemu: ${message.error.desc}`)
        if (message.return !== undefined || message.QMP !== undefined) return
      }
    }
    await answer()
    for (const [execute, parameters] of [['qmp_capabilities', {}] as const, ...commands]) {
      socket.write(`${JSON.stringify({ execute, arguments: parameters })}\n`)
      await answer()
    }
  } finally {
    socket.destroy()
  }
}
