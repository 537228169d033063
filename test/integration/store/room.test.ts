import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { neighboursOf, remember } from '../../../collector/ingest/history.ts'
import { initialDeviceState, type Device } from '../../../collector/model/device.ts'
import { openStore, type StoreLocation } from '../../../collector/store/index.ts'
import { bytes, evidence, NOW, storedDevice, storedProduct } from '../../collector/store/samples.ts'
import { usePostgres } from '../../support/postgres-backend.ts'
import { postgresName, postgresPrograms, query } from '../../support/postgres.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const DEVICES = 25
const REPORTS_A_DAY = 12
const DAYS = [3, 9] as const

/** As large as evidence of a device with a TPM in its usual state. */
const MESSAGE_BYTES = 800

/** What a device that tells nothing new adds to the database in a day, of which one message is kept. */
async function growth(location: StoreLocation, size: () => Promise<number>): Promise<number> {
  const { store, close } = await openStore(location)
  const { id: productId } = await storedProduct(store)
  const devices: Device[] = []
  for (let index = 0; index < DEVICES; index++) devices.push(await storedDevice(store, `device ${index}`, productId))
  const message = bytes('message', 64)
  const sizes: number[] = []
  const session = bytes('session', 16)
  for (let seq = 0; seq < DAYS[1] * REPORTS_A_DAY; seq++) {
    if (seq === DAYS[0] * REPORTS_A_DAY) sizes.push(await size())
    await store.transactionOf(
      devices.map(({ ueid }) => ueid),
      async (inner) => {
        for (const device of devices) {
          const record = evidence(device.id, seq, {
            bytes: Uint8Array.from({ length: MESSAGE_BYTES }, (_, at) => message[at % 64] ?? 0),
          })
          const { before } = await neighboursOf(inner, device.id, session, seq)
          await remember(inner, record, before, { isNewest: true, isTelling: false }, { keepOneIn: REPORTS_A_DAY })
          const begun = { deviceId: device.id, session, extra: [], firstSeenAt: NOW, firstEpoch: 0 }
          await inner.sessions.save({ ...begun, contiguousTo: seq, lastEpoch: seq })
          await inner.devices.saveState(device.id, {
            ...initialDeviceState,
            lastFreshAt: NOW + seq,
            freshSequence: seq,
          })
        }
      },
    )
  }
  sizes.push(await size())
  await close()
  const [first = 0, last = 0] = sizes
  return (last - first) / (DAYS[1] - DAYS[0]) / DEVICES
}

/** The message, its columns, its place in three indexes, and the pages that are not full. */
const MOST_BYTES = 2_500

describe('a device in its usual state takes little room', () => {
  const scratch = useScratchDirectories('room')
  const server = usePostgres()

  it('in SQLite', async () => {
    const path = join(scratch(), 'collector.db')
    const bytesADay = await growth({ path }, async () => statSync(path).size)
    expect(bytesADay).toBeLessThan(MOST_BYTES)
  })

  it.skipIf(postgresPrograms === undefined)(`in ${postgresName}`, async () => {
    const postgres = await server().createDatabase()
    const bytesADay = await growth({ postgres }, async () => {
      await query(postgres, 'vacuum')
      const [row] = await query(postgres, 'select pg_database_size(current_database()) as size')
      return Number(row?.['size'])
    })
    expect(bytesADay).toBeLessThan(MOST_BYTES)
  })
})
