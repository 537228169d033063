import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Answer {
  readonly status: number
  readonly output: Buffer
}

const COMMAND_TIMEOUT_MS = 330_000

/** Commands of root in the guest, over virtio-serial: see test-shell in ../image/guest-files.ts. */
export class GuestShell {
  readonly #socket: Socket
  readonly #waiting = new Map<string, (answer: Answer) => void>()
  #next = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    createInterface({ input: socket }).on('line', (line) => {
      const [id = '', status, output = ''] = line.split(' ')
      this.#waiting.get(id)?.({ status: Number(status), output: Buffer.from(output, 'base64') })
      this.#waiting.delete(id)
    })
    socket.on('error', () => undefined)
  }

  /** Connects, and waits until the guest takes commands. */
  static async open(path: string, timeoutMs: number): Promise<GuestShell> {
    const deadline = Date.now() + timeoutMs
    const socket = await connected(path, deadline)
    const shell = new GuestShell(socket)
    const ready = new Promise<Answer>((resolve) => shell.#waiting.set('ready', resolve))
    const isReady = await Promise.race([ready, sleep(Math.max(0, deadline - Date.now()), undefined, { ref: false })])
    if (isReady !== undefined) return shell
    socket.destroy()
    throw new Error('the guest does not become ready: see console.log')
  }

  /** What a command has printed, on both channels; it may fail. */
  async ask(command: string): Promise<{ readonly status: number; readonly output: string }> {
    const { status, output } = await this.#run(command)
    return { status, output: output.toString('utf8') }
  }

  /** What a command has printed that has to succeed. */
  async run(command: string): Promise<string> {
    const { status, output } = await this.ask(command)
    if (status !== 0) throw new Error(`in the guest: ${command}: ${status}: ${output}`)
    return output
  }

  async readFile(path: string): Promise<Buffer> {
    const { status, output } = await this.#run(`cat '${path}'`)
    if (status !== 0) throw new Error(`in the guest: ${path}: ${output.toString('utf8')}`)
    return output
  }

  /** Without waiting for an answer. */
  send(command: string): void {
    this.#socket.write(`${this.#next++} ${Buffer.from(command).toString('base64')}\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  async #run(command: string): Promise<Answer> {
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(String(this.#next), resolve))
    this.send(command)
    const answer = await Promise.race([answered, sleep(COMMAND_TIMEOUT_MS, undefined, { ref: false })])
    if (answer === undefined) throw new Error(`the guest does not answer: ${command}`)
    return answer
  }
}

/** qemu makes the socket when it starts. */
async function connected(path: string, deadline: number): Promise<Socket> {
  for (;;) {
    const socket = connect(path)
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    if (isOpen) return socket
    if (Date.now() > deadline) throw new Error('the virtual machine does not start: see qemu.log')
    await sleep(50)
  }
}
