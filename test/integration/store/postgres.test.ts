import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { openPostgres } from '../../../collector/store/database.ts'
import { openStore } from '../../../collector/store/index.ts'
import { holdAlone, joinCollectors } from '../../../collector/store/leadership.ts'
import { migrate, migrations, type Migration } from '../../../collector/store/migrations/index.ts'
import { bytes, evidence, finding, NOW, product, storedDevice } from '../../collector/store/samples.ts'
import { keepsItsMessages } from '../../support/kept-messages.ts'
import { usePostgres } from '../../support/postgres-backend.ts'
import { postgresName, postgresPrograms, query } from '../../support/postgres.ts'

describe.skipIf(postgresPrograms === undefined)(`a database (${postgresName})`, () => {
  const server = usePostgres()
  const opened = async () => {
    const settings = await server().createDatabase()
    return { settings, ...(await openStore({ postgres: settings })) }
  }

  it('is brought up to date once by several that start at the same moment', async () => {
    const settings = await server().createDatabase()
    const dbs = [1, 2, 3].map(() => openPostgres(settings))
    const applied = await Promise.all(dbs.map((db) => migrate(db)))
    expect(applied.flat().sort()).toEqual(migrations.map(({ name }) => name).sort())
    await Promise.all(dbs.map((db) => db.destroy()))
  })

  it('of a newer version is refused', async () => {
    const { settings, close } = await opened()
    await close()
    await query(settings, `insert into schema_migrations (version, name) values (${migrations.length + 1}, 'later')`)
    await expect(openStore({ postgres: settings })).rejects.toMatchObject({ code: 'state.schema-newer' })
  })

  it('keeps nothing of a step that fails', async () => {
    const db = openPostgres(await server().createDatabase())
    const broken: Migration = {
      version: migrations.length + 1,
      name: 'broken',
      apply: async (executor) => {
        await sql.raw('create table half (id integer)').execute(executor)
        throw new Error('power cut')
      },
    }
    await expect(migrate(db, [...migrations, broken])).rejects.toThrow('power cut')
    expect((await sql`select 1 from pg_tables where tablename = 'half'`.execute(db)).rows).toEqual([])
    expect(await migrate(db)).toEqual([])
    await db.destroy()
  })

  it('keeps the messages that an earlier version kept', async () => {
    const db = openPostgres(await server().createDatabase())
    await keepsItsMessages(db, (hex) => `'\\x${hex}'`)
    const { rows } = await sql`select count(*)::int as kept from evidence_messages_1970_01`.execute(db)
    expect(rows).toEqual([{ kept: 3 }])
    await db.destroy()
  })

  it('takes every text that a message can hold', async () => {
    const { store, close } = await opened()
    const { id } = await storedDevice(store)
    const subject = 'before\0after \uD800 \u{1F600}'
    await store.findings.insert(finding(id, { subject }))
    const [stored] = await store.findings.openOf(id)
    expect(stored?.subject).toBe('before\uFFFDafter \uFFFD \u{1F600}')
    await close()
  })

  it('does not remember a device as it was when something changes it while ingest writes it', async () => {
    const { store, close } = await opened()
    const device = await storedDevice(store)
    const begun = { deviceId: device.id, session: bytes('session', 16), contiguousTo: 0, extra: [] }
    const session = { ...begun, firstSeenAt: NOW, firstEpoch: 1, lastEpoch: 1 }
    let revoked: Promise<void> | undefined
    await store.transactionOf([device.ueid], async (ingest) => {
      const state = await ingest.devices.stateOf(device.id)
      await ingest.steady.advance([{ deviceId: device.id, state, session, longer: [], newest: undefined }], 7)
      revoked = store.devices.updateEnrolment(device.id, 'revoked', NOW)
      // It has to have come as far as it can: it does not see the mark, which is not committed yet.
      await new Promise((resolve) => setTimeout(resolve, 500))
    })
    await revoked
    expect(await store.steady.marksOf([device.id])).toEqual(new Map())
    await close()
  })

  it('gives no integer that is not exact', async () => {
    const { settings, store, close } = await opened()
    const { id } = await storedDevice(store)
    await query(settings, `update device_states set last_fresh_epoch = 9007199254740993 where device_id = ${id}`)
    await expect(store.devices.stateOf(id)).rejects.toThrow('too large')
    // The connection has not lost its place.
    expect((await store.devices.byId(id))?.id).toBe(id)
    await close()
  })

  it('does not call a transaction good in which a statement failed and nobody heard', async () => {
    const { store, close } = await opened()
    const kept = product()
    await store.products.create(kept)
    const deaf = store.transaction(async (inner) => {
      await inner.products.create(kept).catch(() => undefined)
    })
    await expect(deaf).rejects.toThrow('failed transaction')
    await close()
  })

  it('syncs each commit, whatever the server does by default', async () => {
    const settings = await server().createDatabase()
    await query(settings, `alter database ${settings.database} set synchronous_commit = off`)
    const db = openPostgres(settings)
    const { rows } = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(db)
    expect(rows[0]?.synchronous_commit).toBe('on')
    await db.destroy()
  })

  it('lets an ordinary transaction run alone, and those of other devices beside each other', async () => {
    const { store, close } = await opened()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    const order: string[] = []
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let begun: () => void = () => undefined
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const first = store.transactionOf([one.ueid], async () => {
      begun()
      await held
      order.push('one')
    })
    await isBegun
    await store.transactionOf([two.ueid], async () => void order.push('two'))
    const same = store.transactionOf([one.ueid, two.ueid], async () => void order.push('one again'))
    const alone = store.transaction(async () => void order.push('alone'))
    await new Promise((resolve) => setTimeout(resolve, 100))
    release()
    await Promise.all([first, same, alone])
    expect(order.slice(0, 2)).toEqual(['two', 'one'])
    expect(order.slice(2).sort()).toEqual(['alone', 'one again'])
    await close()
  })

  it('has work done again that collided with other work over what they share', async () => {
    const { store, close } = await opened()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    const digests = [bytes('first'), bytes('second')]
    let attempts = 0
    // Each holds what the other wants next: one of them is undone by the server.
    const saving = (ueid: typeof one.ueid, order: readonly Uint8Array[]) =>
      store.transactionOf([ueid], async (inner) => {
        attempts++
        for (const digest of order) {
          await inner.sections.save('Acme', digest, digest)
          await new Promise((resolve) => setTimeout(resolve, 150))
        }
      })
    await Promise.all([saving(one.ueid, digests), saving(two.ueid, digests.toReversed())])
    expect(attempts).toBe(3)
    for (const digest of digests) expect(await store.sections.has('Acme', digest)).toBe(true)
    await close()
  })

  it('is left by one that failed for good, without what it did', async () => {
    const { store, close } = await opened()
    const { id, ueid } = await storedDevice(store)
    const failing = store.transactionOf([ueid], async (inner) => {
      await inner.evidence.insert(evidence(id, 0))
      throw new Error('stop')
    })
    await expect(failing).rejects.toThrow('stop')
    expect((await store.evidence.list(id, { limit: 5 })).items).toEqual([])
    await close()
  })

  it('has one leader, which another follows when its session ends', async () => {
    const { settings, close } = await opened()
    const [one, two] = [await joinCollectors({ postgres: settings }), await joinCollectors({ postgres: settings })]
    expect([await one.isLeader(), await two.isLeader(), await one.isLeader()]).toEqual([true, false, true])
    await one.release()
    expect(await two.isLeader()).toBe(true)
    // The server ends the session: who led finds out, and can lead again.
    await query(
      settings,
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query like '%advisory_lock%' and datname = current_database()",
    )
    expect(await two.isLeader()).toBe(false)
    expect(await two.isLeader()).toBe(true)
    await two.release()
    await close()
  })

  it('can have its two duties done by two collectors, and one that resigns does none again', async () => {
    const location = { postgres: await server().createDatabase() }
    const [one, two] = [await joinCollectors(location), await joinCollectors(location)]
    expect([await one.isLeader('tracking'), await two.isLeader('notifying')]).toEqual([true, true])
    expect([await two.isLeader('tracking'), await one.isLeader('notifying')]).toEqual([false, false])
    await one.resign()
    expect([await two.isLeader('tracking'), await one.isLeader('tracking')]).toEqual([true, false])
    // It still uses the database, which nobody may replace meanwhile.
    await two.release()
    await expect(holdAlone(location)).rejects.toMatchObject({ code: 'state.in-use' })
    await one.release()
    await (
      await holdAlone(location)
    )()
  })

  it('is led again after a lost session, however many ask for the leader at once', async () => {
    const { settings, close } = await opened()
    const one = await joinCollectors({ postgres: settings })
    const askAll = () => Promise.all(Array.from({ length: 4 }, () => one.isLeader()))
    for (let round = 0; round < 3; round++) {
      await query(
        settings,
        "select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = database where locktype = 'advisory' and datname = current_database()",
      )
      await askAll()
      await askAll()
      expect(await askAll()).toEqual([true, true, true, true])
      // Sessions that nobody remembers would keep the lock.
      const held =
        "select distinct pid from pg_locks join pg_database on pg_database.oid = database where locktype = 'advisory' and datname = current_database()"
      expect((await query(settings, held)).length).toBe(1)
    }
    await one.release()
    await close()
  })

  it('is not restored while a collector serves, and not served while it is restored', async () => {
    const { settings, close } = await opened()
    const location = { postgres: settings }
    const serving = await joinCollectors(location)
    await expect(holdAlone(location)).rejects.toMatchObject({ code: 'state.in-use' })
    await serving.release()
    const release = await holdAlone(location)
    await expect(joinCollectors(location)).rejects.toMatchObject({ code: 'state.in-use' })
    await release()
    await (await joinCollectors(location)).release()
    await close()
  })

  it('that is not there, or lets nobody in, is told as such', async () => {
    const settings = await server().createDatabase()
    for (const wrong of [{ database: 'none' }, { user: 'nobody' }, { port: 1 }]) {
      await expect(openStore({ postgres: { ...settings, ...wrong } })).rejects.toMatchObject({
        code: 'state.unreachable',
      })
    }
  })

  it('compares ids byte by byte, whatever language the server speaks', async () => {
    const { store, close } = await opened()
    const ids = ['prd_a', 'prd_B', 'prd-c', 'prd_0']
    for (const [index, id] of ids.entries())
      await store.products.create(product({ id, model: `${index}`, createdAt: NOW }))
    const { items } = await store.products.list({ limit: 9 })
    expect(items.map(({ id }) => id)).toEqual([...ids].sort().reverse())
    await close()
  })
})
