import Database from 'better-sqlite3'
import type { Store } from '../../collector/store/index.ts'
import { device, storedProduct } from '../collector/store/samples.ts'

const BATCH = 300

/** Active devices of one product, spread evenly over what they report. */
export async function addDevices(
  store: Store,
  path: string,
  vendor: string,
  postures: readonly Uint8Array[],
  count: number,
): Promise<void> {
  const { id } = await storedProduct(store, { vendor, model: 'Gate 7' })
  for (let at = 0; at < count; at += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, count - at) }, (_, index) =>
      device(id, `unit ${at + index}`, { vendor, enrolment: 'active' }),
    )
    await store.devices.insertMany(some)
  }
  const database = new Database(path)
  const update = database.prepare('update device_states set posture_digest = ? where device_id % ? = ?')
  for (const [index, digest] of postures.entries()) update.run(Buffer.from(digest), postures.length, index)
  database.close()
}
