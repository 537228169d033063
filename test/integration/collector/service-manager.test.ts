import { connect } from 'node:net'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'
import { useCollectorProcesses } from '../../support/collector-process.ts'
import { freePort } from '../../support/mosquitto.ts'
import { listenForNotifications, type NotifyListener } from '../../support/notify-listener.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

/** What a collector tells the service manager that started it (sd_notify(3)). */

const scratch = useScratchDirectories('service-manager')
const startProcess = useCollectorProcesses()
const listeners: NotifyListener[] = []
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.stop()
})

async function listen(): Promise<{ readonly listener: NotifyListener; readonly under: readonly string[] }> {
  const socket = join(scratch(), 'notify')
  const listener = await listenForNotifications(socket)
  listeners.push(listener)
  return { listener, under: ['env', `NOTIFY_SOCKET=${socket}`, 'WATCHDOG_USEC=300000'] }
}

/** The next message that is no beat of its heart. */
async function word({ next }: NotifyListener): Promise<string> {
  for (;;) {
    const message = await next()
    if (message !== 'WATCHDOG=1') return message
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

it('tells that it is ready when everything listens, that it lives on, and that it stops', async () => {
  const { listener, under } = await listen()
  const ports = [await freePort(), await freePort(), await freePort()]
  const [mqtt, http, metrics] = ports
  const settings = [`mqtt.listen_port=${mqtt}`, `http.port=${http}`, `metrics.port=${metrics}`]
  const starting = startProcess({ directory: scratch(), settings, under })
  expect(await word(listener)).toBe('READY=1 STATUS=serving ingest, api, tracker, notify')
  expect(await Promise.all(ports.map(answers))).toEqual([true, true, true])
  for (const _ of [1, 2, 3, 4]) expect(await listener.next()).toBe('WATCHDOG=1')
  const collector = await starting
  const stopped = collector.terminate()
  expect(await word(listener)).toMatch(/^STOPPING=1 /)
  expect(await stopped).toBe(0)
})

it('is ready, and says what it waits for, where its clock cannot be right', async () => {
  const directory = scratch()
  const first = await startProcess({ directory })
  await first.terminate()
  const database = new Sqlite(join(directory, 'data', 'collector.db'))
  const moveEpochs = database.prepare('update epochs set issued_at = issued_at + ?')
  expect(moveEpochs.run(86_400_000).changes).toBeGreaterThan(0)
  const { listener, under } = await listen()
  const starting = startProcess({ directory, under })
  expect(await word(listener)).toMatch(/^READY=1 STATUS=the clock is before /)
  expect(await listener.next()).toBe('WATCHDOG=1')
  moveEpochs.run(-86_400_000)
  database.close()
  expect(await word(listener)).toMatch(/^READY=1 STATUS=serving /)
  await starting
})
