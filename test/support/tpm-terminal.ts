import { spawn, spawnSync } from 'node:child_process'

/** Python has openpty(3), which Node has not. */
export const hasTpmTerminal = spawnSync('python3', ['-c', 'import pty, tty'], { stdio: 'ignore' }).status === 0

const RELAY = `
import os, pty, select, socket, sys, tty
master, slave = pty.openpty()
tty.setraw(slave)
sys.stdout.write(os.ttyname(slave) + "\\n")
sys.stdout.flush()
tpm = None
while True:
    ready = select.select([0, master] + ([tpm] if tpm else []), [], [])[0]
    if 0 in ready:
        break
    if tpm in ready:
        answer = tpm.recv(4096)
        if answer:
            os.write(master, answer)
        else:
            tpm.close()
            tpm = None
    if master in ready:
        command = os.read(master, 4096)
        if tpm is None:
            tpm = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        tpm.sendall(command)
`

export interface TpmTerminal {
  /** A character device. */
  readonly path: string
  stop(): Promise<void>
}

/**
 * A character device that leads to a software TPM: a terminal in raw mode, as this machine has no /dev/vtpmx for one that
 * the kernel's TPM driver serves. It takes the TPM's one place for a client from the first command on.
 */
export async function tpmTerminal(tcti: string): Promise<TpmTerminal> {
  const port = String(/port=(\d+)/.exec(tcti)?.[1])
  const child = spawn('python3', ['-c', RELAY, port], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const path = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
    child.once('close', () => reject(new Error('no terminal')))
  })
  return {
    path,
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
