import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, it } from 'vitest'
import { backup, restore } from '../../../collector/store/backup/index.ts'
import { openStore } from '../../../collector/store/index.ts'
import { joinCollectors } from '../../../collector/store/leadership.ts'
import { describeBackup } from '../../support/backup-suite.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { NOW, storedDevice } from './samples.ts'

const scratch = useScratchDirectories('backup-sqlite')
const fresh = async () => ({ path: join(scratch(), 'collector.db') })

describeBackup({
  name: 'SQLite',
  fresh,
  age: async (location, version) => {
    const raw = new Sqlite('path' in location ? location.path : '')
    raw.prepare('insert into schema_migrations (version, name) values (?, ?)').run(version, 'later')
    raw.close()
  },
})

it('a restored file stands alone, without leavings beside it', async () => {
  const location = await fresh()
  const { store, close } = await openStore(location)
  await storedDevice(store)
  const file = join(scratch(), 'backup')
  await backup(location, file)
  await close()
  const target = await fresh()
  await restore(target, file, NOW)
  expect(readdirSync(dirname(target.path))).toEqual(['collector.db'])
  expect(readdirSync(dirname(file))).toEqual(['backup'])
})

it('a page of a backup that was changed is found before anything is restored', async () => {
  const location = await fresh()
  const { store, close } = await openStore(location)
  for (let index = 0; index < 40; index++) await storedDevice(store, `device ${index}`)
  const file = join(scratch(), 'backup')
  await backup(location, file)
  await close()
  const raw = new Sqlite(file)
  raw.unsafeMode()
  raw.pragma('writable_schema = ON')
  // An index that says something else than its table.
  raw.exec(
    "update sqlite_master set rootpage = (select rootpage from sqlite_master where name = 'epochs_by_time') where name = 'devices_by_product'",
  )
  raw.close()
  await expect(restore(await fresh(), file, NOW)).rejects.toMatchObject({ code: 'state.unreadable' })
})

it('one collector serves from an embedded database', async () => {
  const location = await fresh()
  const first = await joinCollectors(location)
  expect(await first.isLeader()).toBe(true)
  await expect(joinCollectors(location)).rejects.toMatchObject({ code: 'state.in-use' })
  await first.release()
  await (await joinCollectors(location)).release()
})
