import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { freePort } from '../../support/mosquitto.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { settingsIn, Workbench } from '../../support/test-collector.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
/** Within the tree, so that the packages are found from it. */
const BUILT = join(ROOT, 'node_modules', '.cache', `keepseal-kill-${process.pid}`)
const scratch = useScratchDirectories('kill')
const running: ChildProcess[] = []

beforeAll(async () => {
  mkdirSync(BUILT, { recursive: true })
  await build({
    entryPoints: [join(ROOT, 'collector', 'main.ts')],
    outfile: join(BUILT, 'collector.mjs'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  })
})
afterEach(async () => {
  for (const child of running.splice(0)) await kill(child)
})
afterAll(() => rmSync(BUILT, { recursive: true, force: true }))

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** Resolves when it says that it is running. */
async function serve(directory: string, port: number): Promise<ChildProcess> {
  const set = settingsIn(directory, `mqtt.listen_port=${port}`).flatMap((setting) => ['--set', setting])
  const child = spawn(process.execPath, [join(BUILT, 'collector.mjs'), 'serve', ...set], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended: ${output}`)))
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      if (output.includes('the collector is running')) resolve()
    })
  })
  return child
}

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
  await kill(child)
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
    await kill(child)
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
