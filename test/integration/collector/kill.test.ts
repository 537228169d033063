import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { expect, it, vi } from 'vitest'
import { useCollectorProcesses } from '../../support/collector-process.ts'
import { freePort } from '../../support/mosquitto.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { Workbench } from '../../support/test-collector.ts'

const scratch = useScratchDirectories('kill')
const startProcess = useCollectorProcesses()

const serve = (directory: string, port: number) => startProcess({ directory, settings: [`mqtt.listen_port=${port}`] })

it('killed between taking a message and its commit, a collector counts it once when it comes again', async () => {
  const directory = scratch()
  const port = await freePort()
  let child = await serve(directory, port)
  const bench = await Workbench.open(directory)
  const gateway = await bench.enrol()
  await gateway.connect(port)

  // Somebody holds the database: what the broker acknowledges from now on cannot be committed.
  const lock = new Sqlite(join(directory, 'data', 'collector.db'))
  lock.exec('begin immediate')
  const names = [await gateway.make(), await gateway.make()]
  await Promise.race([gateway.flush().catch(() => undefined), sleep(500)])
  await child.kill()
  lock.exec('rollback')
  lock.close()
  await gateway.end()
  expect(await bench.counted(gateway.device)).toEqual([])
  expect(gateway.outbox.size).toBe(2)

  child = await serve(directory, port)
  await gateway.connect(port)
  await gateway.flush()
  await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 30_000 })
  expect(await bench.counted(gateway.device)).toEqual(names.sort())
  await gateway.end()
  await bench.close()
})

it('killed again and again at any moment, it loses nothing that it has receipted and counts nothing twice', async () => {
  const directory = scratch()
  const port = await freePort()
  const names: string[] = []
  let child = await serve(directory, port)
  const bench = await Workbench.open(directory)
  const gateway = await bench.enrol()
  for (const delay of [0, 3, 10, 25]) {
    await gateway.connect(port)
    for (let index = 0; index < 12; index++) names.push(await gateway.make())
    const sent = gateway.flush().catch(() => undefined)
    await sleep(delay)
    await child.kill()
    await Promise.race([sent, sleep(200)])
    await gateway.end()
    const counted = await bench.counted(gateway.device)
    const receipted = names.filter((name) => !gateway.outbox.has(name))
    expect(counted).toEqual(expect.arrayContaining(receipted))
    expect(new Set(counted).size).toBe(counted.length)
    child = await serve(directory, port)
  }
  await gateway.connect(port)
  await gateway.flush()
  await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 30_000 })
  expect(await bench.counted(gateway.device)).toEqual(names.sort())
  await gateway.end()
  await bench.close()
})
