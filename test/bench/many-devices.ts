import Database from 'better-sqlite3'
import type { Store } from '../../collector/store/index.ts'
import { storedDevice, storedProduct } from '../collector/store/samples.ts'

/** What tells one device from the next; everything else is as it is of the first. */
const OWN: Readonly<Record<string, string>> = {
  ueid: "'01' || lower(hex(randomblob(16)))",
  serial: "'unit ' || series.n",
  device_key: 'randomblob(32)',
  device_key_thumbprint: 'randomblob(32)',
  tls_key_hash: 'randomblob(32)',
  ek_name: 'randomblob(34)',
  ak_name: 'randomblob(34)',
}

/**
 * Active devices of one product, spread evenly over what they report. Their rows are made by the database itself, which
 * takes a tenth of the time that it takes to hand them over.
 */
export async function addDevices(
  store: Store,
  path: string,
  vendor: string,
  postures: readonly Uint8Array[],
  count: number,
): Promise<void> {
  const { id: productId } = await storedProduct(store, { vendor, model: 'Gate 7' })
  const first = await storedDevice(store, 'unit 0', productId, { vendor, enrolment: 'active' })
  const database = new Database(path)
  const columnsOf = (table: string): readonly string[] =>
    (database.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name)
  /** As those of the first device, but for what is told otherwise. */
  const copy = (table: string, of: Readonly<Record<string, string>>, from: string): string => {
    const columns = columnsOf(table).filter((name) => of[name] !== '')
    const values = columns.map((name) => of[name] ?? `first.${name}`)
    return `insert into ${table} (${columns.join(', ')}) select ${values.join(', ')} from ${table} first, ${from}`
  }
  const postureOf = postures.length === 0 ? 'first.posture_digest' : 'reported.digest'
  const reported = postures.length === 0 ? '' : ` join reported on reported.n = others.id % ${postures.length}`
  database.transaction(() => {
    database.exec('create temp table reported (n integer primary key, digest blob)')
    const insert = database.prepare('insert into reported values (?, ?)')
    for (const [index, digest] of postures.entries()) insert.run(index, Buffer.from(digest))
    database.exec(
      `with recursive series (n) as (select 1 union all select n + 1 from series where n < ${count - 1})
        ${copy('devices', { ...OWN, id: '' }, 'series')} where first.id = ${first.id} and ${count} > 1`,
    )
    const others = `devices others${reported} where first.device_id = ${first.id} and others.id > ${first.id}`
    database.exec(copy('device_states', { device_id: 'others.id', posture_digest: postureOf }, others))
    database.exec(copy('device_enrolments', { device_id: 'others.id', id: '' }, others))
    if (postures.length > 0) {
      database
        .prepare('update device_states set posture_digest = ? where device_id = ?')
        .run(Buffer.from(postures[first.id % postures.length] ?? []), first.id)
    }
  })()
  database.close()
  while (await store.deviceCounts.settle(0)) continue
}
