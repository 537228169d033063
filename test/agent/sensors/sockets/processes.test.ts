import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { socketsSensor } from '../../../../agent/sensors/sockets.ts'
import { PROCESS_MEMORY_SECONDS } from '../../../../agent/sensors/sockets/processes.ts'
import { listenerSubject, type SocketsContent } from '../../../../shared/posture/sections/sockets.ts'
import { writeTree } from '../../../support/host-tree.ts'
import { socketTable } from '../../../support/proc-net.ts'

/** A machine that goes on: two services, two other processes, and what looks at them. */
class Machine {
  now = 1_000_000
  readonly looked: string[] = []
  readonly #root: string
  readonly #host: Host

  constructor() {
    this.#root = writeTree({ '/proc/net/dev': '' })
    for (const [pid, name] of [
      [1, 'init'],
      [20, 'sshd'],
      [30, 'ntpd'],
      [40, 'shell'],
      [50, 'editor'],
    ] as const) {
      this.start(pid, `/usr/sbin/${name}`)
    }
    this.hold(20, 7)
    this.hold(30, 8)
    this.listen([22, 7], [123, 8])
    const host = createHost({ root: this.#root, byteOrder: 'LE', now: () => this.now })
    this.#host = {
      ...host,
      readDirectory: (path, max) => {
        if (path.endsWith('/fd')) this.looked.push(path.split('/')[2] ?? '')
        return host.readDirectory(path, max)
      },
    }
  }

  start(pid: number, executable: string, unit = 'a.service'): void {
    mkdirSync(join(this.#root, `proc/${pid}/fd`), { recursive: true })
    symlinkSync('../net', join(this.#root, `proc/${pid}/net`))
    symlinkSync(executable, join(this.#root, `proc/${pid}/exe`))
    writeFileSync(join(this.#root, `proc/${pid}/cgroup`), `0::/system.slice/${unit}\n`)
  }

  end(pid: number): void {
    rmSync(join(this.#root, `proc/${pid}`), { recursive: true })
  }

  hold(pid: number, inode: number): void {
    symlinkSync(`socket:[${inode}]`, join(this.#root, `proc/${pid}/fd/${inode}`))
  }

  listen(...at: [port: number, inode: number][]): void {
    const path = join(this.#root, 'proc/net/tcp')
    mkdirSync(dirname(path), { recursive: true })
    const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')
    writeFileSync(
      path,
      socketTable(at.map(([port, inode]) => ({ local: `00000000:${hex(port)}`, state: '0A', inode }))),
    )
  }

  async content(): Promise<SocketsContent> {
    this.looked.length = 0
    const reading = await socketsSensor.measure(this.#host)
    if (reading.status !== 'measured') throw new Error(reading.status)
    return reading.content
  }

  /** `tcp/0.0.0.0:22 sshd` */
  async owners(): Promise<string[]> {
    const { listeners } = await this.content()
    return listeners.map((one) =>
      [listenerSubject(one), ...(one.programs ?? []).map(({ executable }) => executable.replace(/.*\//, ''))].join(' '),
    )
  }
}

const BOTH = ['tcp/0.0.0.0:22 sshd', 'tcp/0.0.0.0:123 ntpd']

describe('at the next measurement', () => {
  test('only those that held a socket are looked at again, while nothing is new', async () => {
    const machine = new Machine()
    expect(await machine.owners()).toEqual(BOTH)
    expect(machine.looked).toEqual(['1', '20', '30', '40', '50'])
    machine.now += 300
    expect(await machine.owners()).toEqual(BOTH)
    expect(machine.looked).toEqual(['20', '30'])
  })

  test('a new process is looked at, and found to hold an older socket', async () => {
    const machine = new Machine()
    await machine.owners()
    machine.start(60, '/tmp/child')
    machine.hold(60, 7)
    expect(await machine.owners()).toEqual(['tcp/0.0.0.0:22 child sshd', 'tcp/0.0.0.0:123 ntpd'])
    expect(machine.looked).toEqual(['20', '30', '60'])
  })

  test('a new socket has all of them looked at, for an older process may have opened it', async () => {
    const machine = new Machine()
    await machine.owners()
    machine.hold(40, 9)
    machine.listen([22, 7], [123, 8], [4444, 9])
    expect(await machine.owners()).toEqual([...BOTH, 'tcp/0.0.0.0:4444 shell'])
  })

  test('a holder that ended, or closed it, or became another program is noticed', async () => {
    const machine = new Machine()
    await machine.owners()
    machine.end(30)
    machine.end(20)
    machine.start(20, '/tmp/other')
    machine.hold(20, 7)
    expect(await machine.owners()).toEqual(['tcp/0.0.0.0:22 other', 'tcp/0.0.0.0:123'])
  })

  test('a service that was started again reads as before', async () => {
    const machine = new Machine()
    const before = await machine.content()
    machine.end(20)
    machine.start(21, '/usr/sbin/sshd')
    machine.hold(21, 70)
    machine.listen([22, 70], [123, 8])
    expect(await machine.content()).toEqual(before)
  })
})

test('an older process that was handed an older socket is noticed within the documented limit', async () => {
  const machine = new Machine()
  await machine.owners()
  machine.hold(50, 7)
  machine.now += PROCESS_MEMORY_SECONDS
  expect(await machine.owners()).toEqual(['tcp/0.0.0.0:22 editor sshd', 'tcp/0.0.0.0:123 ntpd'])
})

test('a clock that was set back trusts nothing', async () => {
  const machine = new Machine()
  await machine.owners()
  machine.now -= 100_000
  await machine.owners()
  expect(machine.looked).toHaveLength(5)
})

test('the same executable of two units is told apart', async () => {
  const machine = new Machine()
  machine.start(21, '/usr/sbin/sshd', 'b.service')
  machine.hold(21, 7)
  const { listeners } = await machine.content()
  expect(listeners[0]?.programs?.map(({ unit }) => unit)).toEqual(['a.service', 'b.service'])
})
