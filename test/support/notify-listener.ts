import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What stands for the service manager: the sockets are real ones. Node has no Unix datagrams; Python has. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name.startswith('@') else name)
print('bound', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`

export interface NotifyListener {
  /** The next message, its lines parted by spaces. */
  next(): Promise<string>
  stop(): void
}

/** Listens as the service manager does, at a path or, by @ and a name, at an abstract socket. */
export async function listenForNotifications(name: string): Promise<NotifyListener> {
  const listener = spawn('python3', ['-c', LISTENER, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => String((await lines.next()).value)
  if ((await next()) !== 'bound') throw new Error('Python cannot listen')
  return { next, stop: () => void listener.kill() }
}
