import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { statePaths } from '../../../agent/state/paths.ts'
import type { Collector } from '../../../collector/app.ts'
import { errors, type ErrorCode } from '../../../shared/codes/errors.ts'
import { freePort } from '../../support/mosquitto.ts'
import { RunningGateway } from '../../support/running-gateway.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { runCollector, Workbench } from '../../support/test-collector.ts'

/** What happens to a gateway in ten years, with a real collector at the other end. */

const scratch = useScratchDirectories('agent-faults')
const mount = (...argv: string[]): boolean => spawnSync('mount', argv).status === 0
const canMount = ((): boolean => {
  const directory = scratch()
  const mounted = process.getuid?.() === 0 && mount('-t', 'tmpfs', '-o', 'size=64k', 'none', directory)
  if (mounted) spawnSync('umount', [directory])
  return mounted
})()
const unless = canMount ? '' : ' (skipped: no file system may be mounted here)'

let port: number
let directory: string
let collector: Collector | undefined
let bench: Workbench
const gateways: RunningGateway[] = []
const mounted: string[] = []

const serve = async (): Promise<void> => {
  const settings = ['freshness.epoch_period_seconds=10', 'receipts.min_interval_seconds=0']
  collector = await runCollector(directory, `mqtt.listen_port=${port}`, ...settings)
}
beforeAll(async () => {
  port = await freePort()
  directory = scratch()
  await serve()
  bench = await Workbench.open(directory)
})
afterAll(async () => {
  await bench.close()
  await collector?.stop()
})
afterEach(async () => {
  vi.useRealTimers()
  for (const gateway of gateways.splice(0)) await gateway.stop()
  for (const each of mounted.splice(0)) spawnSync('umount', [each])
})

async function gateway(options: ConstructorParameters<typeof RunningGateway>[2] = {}): Promise<RunningGateway> {
  const made = new RunningGateway(port, scratch, options)
  gateways.push(made)
  await made.enrol(bench)
  await made.start()
  await made.epochAfter(null)
  return made
}
const outboxBytes = (state: string): number =>
  readdirSync(statePaths(state).outbox).reduce(
    (sum, name) => sum + statSync(join(statePaths(state).outbox, name)).size,
    0,
  )
const titleOf = (code: ErrorCode): string => errors[code].title
const countOf = (logged: readonly string[], code: ErrorCode): number =>
  logged.filter((line) => line.includes(titleOf(code))).length

describe('no network for a week', () => {
  test('keeps the newest reports within the bound, counts what it loses, and delivers when it is back', async () => {
    const stateDirectory = scratch()
    const bound = 256 * 1024
    const one = await gateway({ stateDirectory, settings: [`state.outbox_max_bytes=${bound}`] })
    await one.report()
    await one.receipted()
    await one.disconnect()
    // A report every twenty minutes, by a clock that runs ahead of ours.
    const start = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: start })
    for (let count = 1; count <= 504; count++) {
      vi.setSystemTime(start + count * 1_200_000)
      await one.report()
    }
    expect(outboxBytes(stateDirectory)).toBeLessThanOrEqual(bound)
    const { dropped, waiting } = one
    expect(dropped).toBeGreaterThan(0)
    expect(waiting + dropped).toBe(504)
    expect(one.logged.length).toBeLessThan(8)
    vi.useRealTimers()
    one.connect()
    await vi.waitFor(() => expect(one.waiting).toBe(0), { timeout: 120_000, interval: 200 })
    expect(one.agent.status.problem).toBeNull()
    const row = await bench.store.devices.byUeid(one.device.ueid)
    expect(await bench.store.refusals.countsByCode({ ueid: one.device.ueid })).toEqual(new Map())
    expect((await bench.counted(one.device)).length + dropped).toBeGreaterThanOrEqual(500)
    expect(row?.enrolment).not.toBe('revoked')
  }, 240_000)
})

describe('a clock that begins in 1970', () => {
  test('costs no report, neither while it is wrong nor when it is put right', async () => {
    const one = await gateway()
    await one.report()
    await one.receipted()
    await one.disconnect()
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000 })
    await one.stop()
    await one.startOffline()
    for (let count = 0; count < 3; count++) await one.report()
    expect(one.waiting).toBe(3)
    vi.useRealTimers()
    // Whatever is too old would go now.
    await one.report()
    expect([one.waiting, one.dropped]).toEqual([4, 0])
    one.connect()
    await one.receipted()
    expect(await bench.store.refusals.countsByCode({ ueid: one.device.ueid })).toEqual(new Map())
  }, 60_000)
})

describe.skipIf(!canMount)(`a file system${unless}`, () => {
  const onOwnDisk = async (kib: number): Promise<{ one: RunningGateway; state: string }> => {
    const disk = scratch()
    mount('-t', 'tmpfs', '-o', `size=${kib}k,mode=0700`, 'none', disk)
    mounted.push(disk)
    return { one: await gateway({ stateDirectory: disk }), state: disk }
  }

  test('that is full costs what does not fit, is told once, and heals by itself', async () => {
    const { one, state } = await onOwnDisk(1024)
    await one.report()
    await one.receipted()
    const filler = join(state, 'filler')
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1k', 'count=2048'])
    const before = one.logged.length
    for (let count = 0; count < 5; count++) expect(await one.agent.measure()).toBeUndefined()
    expect(one.agent.status.problem).toContain(titleOf('state.disk-full'))
    expect(countOf(one.logged.slice(before), 'state.disk-full')).toBe(1)
    rmSync(filler)
    await one.report()
    await one.receipted()
    expect(one.agent.status.problem).toBeNull()
  }, 60_000)

  test('that is full when the agent starts keeps nobody from starting it, nor its identity from being what it was', async () => {
    const { one, state } = await onOwnDisk(1024)
    await one.report()
    await one.receipted()
    await one.stop()
    const filler = join(state, 'filler')
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1k', 'count=2048'])
    await one.start()
    await one.epochAfter(null)
    expect(await one.agent.measure()).toBeUndefined()
    rmSync(filler)
    await one.report()
    await one.receipted()
  }, 60_000)

  test('that became read-only costs the reports of this time, is told once, and heals by itself', async () => {
    const { one, state } = await onOwnDisk(4096)
    await one.report()
    await one.receipted()
    expect(mount('-o', 'remount,ro', state)).toBe(true)
    const before = one.logged.length
    for (let count = 0; count < 5; count++) expect(await one.agent.measure()).toBeUndefined()
    expect(one.agent.status.problem).toContain(titleOf('state.unwritable'))
    expect(countOf(one.logged.slice(before), 'state.unwritable')).toBe(1)
    expect(mount('-o', 'remount,rw', state)).toBe(true)
    await one.report()
    await one.receipted()
    expect(one.agent.status.problem).toBeNull()
  }, 60_000)
})

describe('a state file that is damaged', () => {
  test.each(['progress', 'counters'])(
    'in %s is told, begun anew, and no reason for silence',
    async (which) => {
      const stateDirectory = scratch()
      const one = await gateway({ stateDirectory })
      await one.report()
      await one.receipted()
      await one.stop()
      const paths = statePaths(stateDirectory)
      const file = which === 'progress' ? paths.progress : join(paths.outbox, 'counters.json')
      if (which === 'progress') expect(existsSync(file)).toBe(true)
      writeFileSync(file, '{"version":1', { mode: 0o600 })
      await one.start()
      expect(countOf(one.logged, 'state.unreadable')).toBe(1)
      await one.epochAfter(null)
      await one.report()
      await one.receipted()
      expect(one.agent.status.problem).toBeNull()
    },
    60_000,
  )
})
