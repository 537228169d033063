import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { authorityFiles, manufacture } from './manufacture-tpm.ts'

/** A private software TPM. Needs the packages swtpm and swtpm-tools, and nothing of a test runner. */
export interface SoftwareTpm {
  /** For `openTpm`, and for tpm2-tools as TPM2TOOLS_TCTI. It serves one client at a time. */
  readonly tcti: string
  readonly stateDirectory: string
  /** PEM files of the certificate authority that certified the EK: root, then issuing. Empty without certificates. */
  readonly caCertificates: readonly string[]
  /** Takes the power away and gives it back: a TPM Reset without a shutdown before it. */
  restart(): Promise<void>
  /** Ends the process, and removes the state unless the caller named its directory. */
  stop(): Promise<void>
}

export interface SoftwareTpmOptions {
  /** EK certificates in NV, by a certificate authority made for this TPM. Default true; takes about a second. */
  readonly withEkCertificate?: boolean
  /** Default `['sha256']`. */
  readonly banks?: readonly string[]
  /** Kept when the TPM stops, and used as it is when it holds a TPM already. Default: a temporary one. */
  readonly stateDirectory?: string
  /** The port, and the one after it for the control channel. Default: a free pair. */
  readonly port?: number
}

/** Starts a software TPM, and makes it first where there is none. */
export async function startSwtpm(options: SoftwareTpmOptions = {}): Promise<SoftwareTpm> {
  const { withEkCertificate = true, banks = ['sha256'] } = options
  const stateDirectory = options.stateDirectory ?? mkdtempSync(join(tmpdir(), 'keepseal-swtpm-'))
  const temporary = options.stateDirectory === undefined
  const cleanUp = (): void => {
    if (temporary) rmSync(stateDirectory, { recursive: true, force: true })
  }
  try {
    if (!existsSync(join(stateDirectory, 'tpm2-00.permall'))) manufacture(stateDirectory, withEkCertificate, banks)
    let server = await startServer(stateDirectory, options.port)
    const atExit = (): void => {
      server.process.kill('SIGKILL')
      cleanUp()
    }
    process.once('exit', atExit)
    const { port } = server
    return {
      tcti: `swtpm:host=127.0.0.1,port=${port}`,
      stateDirectory,
      caCertificates: authorityFiles(stateDirectory),
      async restart() {
        await end(server.process)
        server = await startServer(stateDirectory, port)
      },
      async stop() {
        process.off('exit', atExit)
        await end(server.process)
        cleanUp()
      },
    }
  } catch (error) {
    cleanUp()
    throw error
  }
}

interface Server {
  readonly process: ChildProcess
  readonly port: number
}

const ATTEMPTS = 10

/** On the given port pair, or on a free one. Another program may take a port in between: then once more. */
async function startServer(stateDirectory: string, fixedPort?: number): Promise<Server> {
  let reason: unknown
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = fixedPort ?? (await freePortPair())
    try {
      return { process: await startProcess(stateDirectory, port), port }
    } catch (error) {
      reason = error
    }
  }
  throw new Error('swtpm does not start (package swtpm)', { cause: reason })
}

async function startProcess(stateDirectory: string, port: number): Promise<ChildProcess> {
  // The TCTI expects the control channel on the port after the server's.
  const listen = (channel: string, number: number): string[] => [channel, `type=tcp,port=${number},bindaddr=127.0.0.1`]
  const state = ['--tpmstate', `dir=${stateDirectory}`, '--flags', 'not-need-init,startup-clear']
  const child = spawn(
    'swtpm',
    ['socket', '--tpm2', ...state, ...listen('--server', port), ...listen('--ctrl', port + 1)],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let complaint = ''
  let ended: Error | undefined
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')))
  child.once('error', (error) => (ended = error))
  child.once('exit', (code) => (ended ??= new Error(`swtpm ended with ${code}: ${complaint}`)))
  for (let waited = 0; waited < 5_000; waited += 10) {
    if (ended !== undefined) throw ended
    // Only the control port is tried: the other one serves a single client, who would have to wait for us.
    if (await accepts(port + 1)) return child
    await sleep(10)
  }
  await end(child)
  throw new Error(`swtpm does not listen: ${complaint}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const finish = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}

/** The first of two free ports in a row, below the range that Linux gives to outgoing connections. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 6_000)
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** SIGTERM, and SIGKILL when that has no effect within two seconds. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000)
  await gone
  clearTimeout(timer)
}
