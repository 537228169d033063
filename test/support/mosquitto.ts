import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestPki } from './pki.ts'

export interface Mosquitto {
  readonly port: number
  /** SIGKILL: connections end without a word. */
  kill(): Promise<void>
  /** Begins to listen on the same port again. */
  start(): Promise<void>
  stop(): Promise<void>
}

export const hasMosquitto = (): boolean => spawnSync('mosquitto', ['-h']).error === undefined

const ACL = `user keepseal-collector
topic read keepseal/v1/+/evidence
topic read keepseal/v1/+/section
topic read keepseal/v1/+/presence
topic write keepseal/v1/+/down
topic readwrite keepseal/v1/epoch
topic readwrite keepseal/v1/restore-point
topic readwrite keepseal/v1/succession
pattern write keepseal/v1/%u/evidence
pattern write keepseal/v1/%u/section
pattern write keepseal/v1/%u/presence
pattern read keepseal/v1/%u/down
pattern read keepseal/v1/epoch
pattern read keepseal/v1/restore-point
pattern read keepseal/v1/succession
`

/**
 * mosquitto on loopback with TLS client certificates: the user is the certificate's common name. `users`: further lines
 * of its access list.
 */
export async function startMosquitto(pki: TestPki, users = ''): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-mosquitto-'))
  const file = (name: string, content: string): string => {
    const path = join(directory, name)
    writeFileSync(path, content)
    return path
  }
  const { key, cert } = pki.server()
  const port = await freePort()
  const configuration = file(
    'mosquitto.conf',
    [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      'persistence false',
      'log_dest none',
      `listener ${port} 127.0.0.1`,
      `cafile ${file('ca.pem', pki.authority)}`,
      `certfile ${file('server.pem', cert)}`,
      `keyfile ${file('server-key.pem', key)}`,
      'require_certificate true',
      'use_identity_as_username true',
      'use_username_as_clientid true',
      'allow_anonymous false',
      `acl_file ${file('acl', `${users}${ACL}`)}`,
      '',
    ].join('\n'),
  )
  let process_: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    const child = process_
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  const atExit = (): void => void process_?.kill('SIGKILL')
  process.once('exit', atExit)
  const start = async (): Promise<void> => {
    process_ = spawn('mosquitto', ['-c', configuration], { stdio: 'ignore' })
    for (let waited = 0; waited < 5_000; waited += 20) {
      if (await accepts(port)) return
      await sleep(20)
    }
    throw new Error('mosquitto does not start (package mosquitto)')
  }
  await start()
  return {
    port,
    kill,
    start,
    async stop() {
      process.off('exit', atExit)
      await kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Whether somebody listens there, on this machine. */
export function accepts(port: number): Promise<boolean> {
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

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
