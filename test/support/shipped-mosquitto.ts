import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { accepts, freePort } from './mosquitto.ts'
import { cpuMsOf } from './process-cpu.ts'

const SHIPPED = new URL('../../deploy/mosquitto/', import.meta.url).pathname
const INSTALLED = '/etc/mosquitto/keepseal/'

export interface ShippedOptions {
  /** Names of further collectors, which get the rules of the first one. */
  readonly replicas?: readonly string[]
  /** Further lines of its access list. */
  readonly rules?: string
  /** The directory deploy/mosquitto, for compiled programs. */
  readonly shipped?: string
}

export interface ShippedMosquitto {
  readonly port: number
  /** Processor time so far, in ms. */
  cpuMs(): number
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

/**
 * mosquitto with the configuration and the rules that are shipped; only where files lie and where it listens is
 * another. `certificates`: what `keepseal-collector broker-certificate` has written.
 */
export async function shippedMosquitto(
  certificates: string,
  { replicas = [], rules: more = '', shipped: from = SHIPPED }: ShippedOptions = {},
): Promise<ShippedMosquitto> {
  const port = await freePort()
  const rules = readFileSync(join(from, 'acl'), 'utf8')
  const [block = ''] = /^user keepseal-collector\n(?:topic .*\n)+/m.exec(rules) ?? []
  const blocks = replicas.map((name) => block.replace('keepseal-collector', name))
  writeFileSync(join(certificates, 'acl'), `${rules.replace(block, [block, ...blocks].join('\n'))}${more}`)
  const shipped = readFileSync(join(from, 'mosquitto.conf'), 'utf8')
  const placed = shipped
    .replaceAll(INSTALLED, `${certificates}/`)
    .replace(/^listener 8883$/m, `listener ${port} 127.0.0.1`)
  if (placed === shipped || !placed.includes(`listener ${port}`))
    throw new Error('the shipped configuration has changed')
  const path = join(certificates, 'mosquitto.conf')
  // As root it would become the user mosquitto, who cannot read a private directory of a test.
  writeFileSync(path, `${process.getuid?.() === 0 ? 'user root\n' : ''}${placed}`)
  let child: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await gone
  }
  process.once('exit', () => child?.kill('SIGKILL'))
  const start = async (): Promise<void> => {
    child = spawn('mosquitto', ['-c', path], { stdio: 'ignore' })
    for (let tries = 0; tries < 250; tries++) {
      if (await accepts(port)) return
      await sleep(20)
    }
    throw new Error('mosquitto does not start')
  }
  return { port, cpuMs: () => cpuMsOf(child?.pid ?? 0).own, start, kill }
}
