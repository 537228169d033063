import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { LivenessWatch } from '../../../collector/liveness/watch.ts'
import { openDatabase } from '../../../collector/store/database.ts'
import { openStore } from '../../../collector/store/index.ts'
import { defaultLivenessPolicy as policy } from '../../../collector/tracking/liveness.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SILENT } from '../../support/test-collector.ts'

/** KEEPSEAL_SILENCE_DEVICES: more of them, to measure with. */
const DEVICES = Number(process.env['KEEPSEAL_SILENCE_DEVICES'] ?? 5_000)
const keys = useCollectorKeys()

/** As many devices as wanted, each a copy of one that has reported, with names and keys of its own. */
async function multiply(path: string, id: number, count: number): Promise<void> {
  const db = openDatabase({ path })
  const own = new Map([
    ['id', 'base.id + n'],
    ['ueid', `substr(base.ueid, 1, 18) || printf('%016x', n)`],
    ['device_key_thumbprint', 'randomblob(32)'],
    ['tls_key_hash', 'randomblob(32)'],
    ['ek_name', 'randomblob(34)'],
    ['device_id', 'base.device_id + n'],
  ])
  const numbers = `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count - 1})`
  for (const [table, key] of [
    ['devices', 'id'],
    ['device_states', 'device_id'],
  ] as const) {
    const { rows } = await sql.raw<{ name: string }>(`select name from pragma_table_info('${table}')`).execute(db)
    const names = rows.map(({ name }) => name)
    const values = names.map((name) => own.get(name) ?? `base.${name}`)
    await sql
      .raw(
        `insert into ${table} (${names.join()}) ${numbers}
         select ${values.join()} from numbers, ${table} base where base.${key} = ${id}`,
      )
      .execute(db)
  }
  await db.destroy()
}

test('many devices that fall silent at once are each found, people are told of their number, and others are served meanwhile', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-silence-'))
  const path = join(directory, 'collector.db')
  const { store, close } = await openStore({ path })
  try {
    const { collector, device } = await IngestingCollector.withDevice(store, keys())
    await collector.approved(device)
    await collector.epoch(device)
    await collector.report(device)
    const { id, productId } = await collector.row(device)
    await multiply(path, id, DEVICES)
    collector.now += 2 * policy.silentAfterMs
    const busy = await collector.device()
    await collector.epoch(busy)
    const watch = new LivenessWatch({
      store,
      policy,
      clock: () => collector.now,
      deps: collector.deps,
      logger: SILENT,
      downtime: () => [],
      isLeader: () => Promise.resolve(true),
    })
    await store.notifications.undispatched(500)
    const before = (await events()).length
    async function events() {
      return store.notifications.undispatched(500)
    }
    const memory = process.memoryUsage().rss
    const start = performance.now()
    const going = { isOver: false }
    let [longest, served, peak] = [0, 0, 0]
    const look = watch.look().finally(() => (going.isOver = true))
    while (!going.isOver) {
      const at = performance.now()
      await collector.report(busy)
      longest = Math.max(longest, performance.now() - at)
      served += 1
      peak = Math.max(peak, process.memoryUsage().rss)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await look).toBe(DEVICES)
    const seconds = (performance.now() - start) / 1000
    const told = (await events()).slice(before)
    console.log(
      `${DEVICES} silent: ${seconds.toFixed(1)} s, ${Math.round(DEVICES / seconds)} a second, ` +
        `${Math.round((peak - memory) / 2 ** 20)} MiB more, ${served} reports served, the slowest in ${Math.round(longest)} ms, ` +
        `${told.length} events`,
    )
    expect(served).toBeGreaterThan(1)
    // Each has its finding, and all of them together some events, whose numbers add up.
    const gathered = told.filter(({ kind, code }) => kind === 'finding.gathered' && code === 'liveness.silent')
    const alone = told.filter(({ kind, code }) => kind === 'finding.opened' && code === 'liveness.silent')
    const total = gathered.reduce((sum, { subject }) => sum + Number(subject), 0) + alone.length
    expect(total).toBe(DEVICES)
    expect(alone.length).toBeLessThan(100)
    expect(gathered.length).toBeLessThanOrEqual(1 + seconds / 60)
    expect(gathered.every((event) => event.productId === productId)).toBe(true)
    const db = openDatabase({ path })
    const { rows } = await sql
      .raw<{ n: number }>(`select count(*) n from findings where code = 'liveness.silent' and state = 'open'`)
      .execute(db)
    await db.destroy()
    expect(Number(rows[0]?.n)).toBe(DEVICES)
    expect(await watch.look()).toBe(0)
  } finally {
    await close()
    rmSync(directory, { recursive: true })
  }
}, 1_200_000)
