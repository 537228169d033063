import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decideAgain } from '../../../collector/ingest/decide-again.ts'
import { setAside } from '../../../collector/ingest/undecided.ts'
import type { Store } from '../../../collector/store/index.ts'
import { IngestingCollector, START, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { failingStore } from '../../support/failing-store.ts'
import { useCollector } from './support.ts'

describe('keepseal quarantine', () => {
  const keys = useCollectorKeys()
  const fault = { isThere: false }

  const again = (store: Store) => ({
    decideAgain: decideAgain({
      store: failingStore(store, (repository, operation) => {
        if (fault.isThere && repository === 'devices' && operation === 'byUeid') throw new TypeError('of ours')
      }),
      deps: new IngestingCollector(store, keys()).deps,
      clock: () => START,
      onHandled: () => undefined,
      publish: undefined,
    }),
  })
  const collector = useCollector(undefined, () => START, again)

  /** Messages that a fault of ours kept from being decided, oldest first. */
  async function withMessages(count: number) {
    fault.isThere = true
    const { store } = collector()
    const ingesting = await IngestingCollector.withDevice(store, keys())
    const messages = []
    for (let index = 0; index < count; index++) {
      const { bytes } = await ingesting.device.report()
      messages.push({
        message: ingesting.collector.message(ingesting.device, bytes),
        tries: 2,
        alone: 0,
        error: new TypeError('x'),
      })
    }
    await setAside(store, messages, START)
    return { ...collector(), ...ingesting, bytes: messages.map(({ message }) => message.bytes) }
  }

  it('lists within 80 columns what could not be decided, and says where there is nothing', async () => {
    expect(await collector().run('auditor', 'quarantine', 'list')).toMatchObject({
      code: 0,
      stderr: 'Nothing is in quarantine.\n',
    })
    const { run, device } = await withMessages(2)
    const { code, stdout } = await run('auditor', 'quarantine', 'list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/ID +RECEIVED +TRIES +REASON +TOPIC/)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    const listed = await run('auditor', 'quarantine', 'list', '--device', device.ueid, '--json')
    expect(JSON.parse(listed.stdout)).toMatchObject({
      items: [
        { ueid: device.ueid, reason: 'TypeError', tries: 2 },
        { reason: 'TypeError', detail: 'x' },
      ],
    })
  })

  it('shows one, and writes it as it was received', async () => {
    const { run, directory, bytes } = await withMessages(1)
    const out = join(directory, 'message.cbor')
    const { code, stdout } = await run('auditor', 'quarantine', 'show', '1', '--out', out)
    expect(code).toBe(0)
    expect(stdout).toMatch(/reason +TypeError/)
    expect(new Uint8Array(readFileSync(out))).toEqual(bytes[0])
    expect((await run('auditor', 'quarantine', 'show', '9')).code).toBe(1)
    expect((await run('auditor', 'quarantine', 'show', '../devices')).code).toBe(2)
  })

  it('tries again until it can be decided, in the order of arrival, and counts each once', async () => {
    const { run, store, collector: ingesting, device, bytes } = await withMessages(3)
    const vain = await run('operator', 'quarantine', 'retry', '1')
    expect(vain).toMatchObject({ code: 1, stdout: expect.stringContaining('0 of 1 decided') })
    expect(await store.quarantine.byId(1)).toMatchObject({ tries: 3, reason: 'TypeError', detail: 'of ours' })
    fault.isThere = false
    // Meanwhile its device has sent one of them again.
    expect(await ingesting.evidence(device, bytes[1] ?? new Uint8Array())).toMatchObject({ result: 'accepted' })
    const { code, stdout } = await run('operator', 'quarantine', 'retry', '--all', '--json')
    expect(code).toBe(0)
    const { retried } = JSON.parse(stdout) as { retried: readonly { result: string }[] }
    expect(retried.map(({ result }) => result)).toEqual(['accepted', 'duplicate', 'accepted'])
    expect(await store.quarantine.count()).toBe(0)
    const row = await ingesting.row(device)
    expect(await store.sessions.find(row.id, device.session)).toMatchObject({ contiguousTo: 2, extra: [] })
  })

  it('takes a message that turns out to be at fault itself for refused', async () => {
    const { run, store } = await withMessages(0)
    fault.isThere = false
    const { device } = await IngestingCollector.withDevice(store, keys())
    const message = { topic: `keepseal/v1/${device.ueid}/evidence`, bytes: Uint8Array.of(1, 2), receivedAt: START }
    await setAside(store, [{ message, tries: 1, alone: 0, error: new TypeError('x') }], START)
    const { code, stdout } = await run('operator', 'quarantine', 'retry', '--all')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/refused cbor\./)])
    expect(await store.quarantine.count()).toBe(0)
  })

  it('lets those who run the fleet remove one, and nobody else, and writes down who did', async () => {
    const { run, store } = await withMessages(1)
    expect((await run('auditor', 'quarantine', 'remove', '1')).code).toBe(4)
    expect((await run('certifier', 'quarantine', 'retry', '1')).code).toBe(4)
    expect((await run('operator', 'quarantine', 'remove', '1')).code).toBe(0)
    expect((await run('operator', 'quarantine', 'remove', '1')).code).toBe(1)
    const { items } = await store.auditLog.list({ limit: 9 })
    expect(items.map(({ action }) => action)).toContain('quarantine.remove')
  })
})
