import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createHelper } from '../../../agent/measure/client/helper.ts'
import { PROBE_IDS } from '../../../agent/measure/protocol.ts'
import { createHost } from '../../../agent/sensors/host.ts'
import { SENSORS } from '../../../agent/sensors/registry.ts'

const script = new URL('../../../deploy/bundle/build-agent.mjs', import.meta.url).href
const { buildAgent } = (await import(script)) as { buildAgent: (directory: string) => Promise<unknown> }

const NOBODY = 65_534
/** As the unit starts it. */
const FLAGS = ['--jitless'] as const
/** CapabilityBoundingSet= and NoNewPrivileges= of deploy/systemd/keepseal-measure@.service. */
const AS_UNIT = [
  '--no-new-privs',
  '--bounding-set=-all,+dac_read_search,+sys_ptrace,+net_admin',
  '--inh-caps=-all',
  '--',
] as const

const isRoot = process.geteuid?.() === 0
const has = (program: string): boolean => spawnSync('which', [program]).status === 0

// Where another user may go, too.
const home = mkdtempSync(join(tmpdir(), 'keepseal-helper-'))
const bundles = join(home, 'bundle')
const program = join(bundles, 'keepseal-measure.js')
const started: ChildProcess[] = []

beforeAll(async () => {
  chmodSync(home, 0o755)
  await buildAgent(bundles)
})
afterEach(async () => {
  for (const child of started.splice(0)) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await gone
  }
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** A new directory of root's, that all may enter. */
function place(): string {
  const directory = mkdtempSync(join(home, 'run-'))
  chmodSync(directory, 0o755)
  return directory
}

async function launch(socket: string, command: string, parameters: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, parameters, { stdio: 'ignore', env: {} })
  started.push(child)
  await expect.poll(() => existsSync(socket), { timeout: 10_000, interval: 50 }).toBe(true)
  return child
}

const listener = (socket: string, ...more: string[]) =>
  launch(socket, process.execPath, [...FLAGS, program, '--listen', socket, ...more])

/** Asks as the agent does, about this very machine. */
const helperAt = (socket: string) => createHelper({ socket, host: createHost(), tell: () => undefined })

const privileged = SENSORS.filter((sensor) => sensor.privileged === true).map(({ section }) => section)

async function expectAnswers(socket: string): Promise<void> {
  const sections = await helperAt(socket).sections()
  if (sections.status !== 'answered') throw new Error(JSON.stringify(sections))
  expect(sections.answer.readings.map(({ section }) => section).sort()).toEqual([...privileged].sort())
  for (const probe of PROBE_IDS) {
    if (probe !== 'sections') expect(await helperAt(socket).log(probe)).toMatchObject({ status: 'answered' })
  }
}

describe('the helper as it is shipped', () => {
  test('answers whoever may connect to its listener, and takes the socket with it at its end', async () => {
    const socket = join(place(), 'measure.sock')
    const child = await listener(socket)
    await expectAnswers(socket)
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await gone).toBe(0)
    expect(existsSync(socket)).toBe(false)
  })

  test.skipIf(!has('systemd-socket-activate'))('answers a connection that systemd hands over', async () => {
    const socket = join(place(), 'measure.sock')
    const activation = ['--accept', '--inetd', `--listen=${socket}`]
    await launch(socket, 'systemd-socket-activate', [...activation, process.execPath, ...FLAGS, program])
    chmodSync(socket, 0o660)
    await expectAnswers(socket)
  })
})

interface Posture {
  readonly state: Readonly<Record<string, unknown>>
  readonly sections: {
    readonly sockets: {
      readonly by: string
      readonly content: {
        readonly owners: string
        readonly listeners: readonly {
          readonly port: number
          readonly owner: string
          readonly executables?: string[]
        }[]
      }
    }
  }
}

describe.skipIf(!isRoot)(`the agent without privileges${isRoot ? '' : ' (skipped: takes root to set up)'}`, () => {
  let server: Server
  let port: number
  beforeAll(async () => {
    // A socket of root's, whose owner no other user can see.
    server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as { port: number }).port
  })
  afterAll(() => server.close())

  function once(socket: string): Posture {
    const settings = ['--set', `measure.socket=${socket}`, '--set', 'tpm.tcti=none']
    const command = [...FLAGS, join(bundles, 'keepseal-agent.js'), 'once', '--print', '--json', ...settings]
    const { stdout } = spawnSync(process.execPath, command, {
      encoding: 'utf8',
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
      maxBuffer: 64 * 1024 * 1024,
    })
    return JSON.parse(stdout) as Posture
  }
  const mine = ({ sections }: Posture) => {
    const { listeners } = sections.sockets.content
    // Ports of the ephemeral range are one entry for each program.
    return listeners.find((one) => one.port === port) ?? listeners.filter((one) => one.executables !== undefined)
  }

  test('does not see whose the sockets of others are, and says so', () => {
    const seen = once('')
    expect(seen.state['agent.helper']).toBe('absent')
    expect(seen.sections.sockets).toMatchObject({ by: 'agent', content: { owners: 'no-permission' } })
    expect(JSON.stringify(mine(seen))).not.toContain(process.execPath)
  })

  test('sees them through the helper', async () => {
    const socket = join(place(), 'measure.sock')
    await listener(socket, '--group', `${NOBODY}`)
    const seen = once(socket)
    expect(seen.state['agent.helper']).toBe('used')
    expect(seen.state['agent.helper-cpu-ms']).toBeGreaterThan(0)
    expect(seen.sections.sockets).toMatchObject({ by: 'helper', content: { owners: 'visible' } })
    expect(JSON.stringify(mine(seen))).toContain(process.execPath)
  })

  test('sees them through a helper that has the capabilities of the unit, and no others', async () => {
    const socket = join(place(), 'measure.sock')
    await launch(socket, 'setpriv', [...AS_UNIT, process.execPath, ...FLAGS, program, '--listen', socket])
    // Without CAP_CHOWN the listener cannot do this itself; systemd does it for the unit.
    chownSync(socket, 0, NOBODY)
    chmodSync(socket, 0o660)
    const seen = once(socket)
    expect(seen.sections.sockets).toMatchObject({ by: 'helper', content: { owners: 'visible' } })
    expect(JSON.stringify(mine(seen))).toContain(process.execPath)
  })

  test('has no listener that could not give its socket to the group', async () => {
    const socket = join(place(), 'measure.sock')
    const command = [...AS_UNIT, process.execPath, ...FLAGS, program, '--listen', socket, '--group', `${NOBODY}`]
    expect(spawnSync('setpriv', command, { timeout: 20_000 }).status).toBe(70)
    expect(existsSync(socket)).toBe(false)
  })

  test('is refused where it is not of the group, and goes on without', async () => {
    const socket = join(place(), 'measure.sock')
    await listener(socket)
    const seen = once(socket)
    expect(seen.state['agent.helper']).toBe('refused')
    expect(seen.sections.sockets).toMatchObject({ by: 'agent', content: { owners: 'no-permission' } })
  })

  test('takes nothing from a helper in a directory of another user', async () => {
    const directory = join(place(), 'theirs')
    mkdirSync(directory)
    const socket = join(directory, 'measure.sock')
    await listener(socket, '--group', `${NOBODY}`)
    chownSync(directory, 1, 1)
    expect(once(socket).state['agent.helper']).toBe('refused')
  })
})
