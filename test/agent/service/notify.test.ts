import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { serviceManager } from '../../../agent/service/notify.ts'
import { unixAddress } from '../../../shared/service/socket-address.ts'
import { listenForNotifications } from '../../support/notify-listener.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('notify')

const ended: (() => void)[] = []
afterEach(() => {
  for (const end of ended.splice(0)) end()
})

async function listen(name: string): Promise<() => Promise<string>> {
  const { next, stop } = await listenForNotifications(name)
  ended.push(stop)
  return next
}

const refuse = (problem: string): never => {
  throw new Error(problem)
}

describe('what the service manager is told', () => {
  it.each([
    ['a socket in the file system', () => join(scratch(), 'notify')],
    ['an abstract socket', () => `@keepseal-test-${process.pid}`],
  ])('arrives at %s', async (_, name) => {
    const socket = name()
    const next = await listen(socket)
    const manager = await serviceManager({ NOTIFY_SOCKET: socket }, refuse)
    manager.tell('READY=1', 'STATUS=measured')
    expect(await next()).toBe('READY=1 STATUS=measured')
    manager.tell('WATCHDOG=1')
    expect(await next()).toBe('WATCHDOG=1')
  })

  it('is nothing where none is, and disturbs nobody where it does not listen', async () => {
    const nobody = await serviceManager({}, refuse)
    nobody.tell('READY=1')
    const deaf = await serviceManager({ NOTIFY_SOCKET: join(scratch(), 'none') }, refuse)
    deaf.tell('READY=1')
    expect([nobody.watchdogMs, deaf.watchdogMs]).toEqual([undefined, undefined])
  })

  it('is reported where the socket has no address', async () => {
    const problems: string[] = []
    const manager = await serviceManager({ NOTIFY_SOCKET: 'relative' }, (problem) => problems.push(problem))
    manager.tell('READY=1')
    expect(problems).toHaveLength(1)
  })
})

describe('the interval of the watchdog', () => {
  it.each([
    ['that of the unit', { WATCHDOG_USEC: '300000000' }, 300_000],
    ['that of the unit, for this process', { WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) }, 60_000],
    ['none for another process', { WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }, undefined],
    ['none that is no number', { WATCHDOG_USEC: 'soon' }, undefined],
  ])('is %s', async (_, environment, expected) => {
    const socket = join(scratch(), 'none')
    expect((await serviceManager({ NOTIFY_SOCKET: socket, ...environment }, refuse)).watchdogMs).toBe(expected)
  })
})

describe('the address of a Unix socket', () => {
  it('has a family, and a path that ends', () => {
    const bytes = [...(unixAddress('/x') ?? [])]
    expect([bytes.slice(2), bytes.length]).toEqual([[0x2f, 0x78, 0], 5])
    expect([...(unixAddress('@x') ?? [])].slice(2)).toEqual([0, 0x78])
  })

  it.each(['', '@', 'x', `/${'x'.repeat(107)}`, `@${'x'.repeat(108)}`, 'vsock:2:1'])('is none for %j', (name) => {
    expect(unixAddress(name)).toBeUndefined()
  })
})
