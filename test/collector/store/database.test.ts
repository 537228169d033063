import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../collector/store/database.ts'
import { createStore, openStore } from '../../../collector/store/index.ts'
import { migrate, migrations, type Migration } from '../../../collector/store/migrations/index.ts'
import { product } from './samples.ts'

describe('the embedded database', () => {
  let directory = ''
  let path = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-database-'))
    path = join(directory, 'state', 'collector.db')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const mode = (file: string): number => statSync(file).mode & 0o777

  it('is readable by its owner alone, with all its side files', async () => {
    const { store, close } = await openStore({ path })
    await store.products.create(product())
    expect(mode(join(directory, 'state'))).toBe(0o700)
    const files = readdirSync(join(directory, 'state'))
    expect(files).toContain('collector.db-wal')
    for (const file of files) expect(mode(join(directory, 'state', file))).toBe(0o600)
    await close()
  })

  it('is refused when others can read it', async () => {
    await (await openStore({ path })).close()
    chmodSync(path, 0o640)
    expect(() => openDatabase({ path })).toThrow(expect.objectContaining({ code: 'state.insecure-permissions' }))
  })

  it('is refused when it is something else', async () => {
    path = join(directory, 'text')
    writeFileSync(path, 'no database '.repeat(1000), { mode: 0o600 })
    await expect(openStore({ path })).rejects.toMatchObject({ code: 'state.unreadable' })
  })

  it('survives power cuts and keeps references', async () => {
    const db = openDatabase({ path })
    const pragma = async (name: string) =>
      Object.values((await sql.raw(`pragma ${name}`).execute(db)).rows[0] as object)[0]
    expect(await pragma('journal_mode')).toBe('wal')
    expect(await pragma('synchronous')).toBe(2)
    expect(await pragma('foreign_keys')).toBe(1)
    expect(await pragma('busy_timeout')).toBe(5000)
    await db.destroy()
  })

  it('keeps what it holds over a restart', async () => {
    const kept = product()
    const first = await openStore({ path })
    await first.store.products.create(kept)
    await first.close()
    const second = await openStore({ path })
    expect(await second.store.products.byId(kept.id)).toEqual(kept)
    await second.close()
  })

  it('says that the disk is full, with nothing changed and itself still usable', async () => {
    const { store, close } = await openStore({ path })
    await close()
    const db = openDatabase({ path })
    const full = createStore(db)
    await sql.raw('pragma max_page_count = 1').execute(db)
    const filling = full.transaction(async (inner) => {
      await inner.products.create(product({ model: 'first' }))
      await inner.products.create(product({ model: 'x'.repeat(1_000_000) }))
    })
    await expect(filling).rejects.toMatchObject({ code: 'state.disk-full' })
    expect((await full.products.list({ limit: 10 })).items).toEqual([])
    await sql.raw('pragma max_page_count = 1000000').execute(db)
    await full.products.create(product())
    await db.destroy()
    void store
  })

  it('is held for writing from the beginning of a transaction, so that what it has read still holds when it writes', async () => {
    const { store, close } = await openStore({ path })
    const other = new Sqlite(path, { timeout: 0 })
    await store.transaction(async (transaction) => {
      await transaction.products.list({ limit: 1 })
      expect(() => other.exec('begin immediate')).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
    })
    other.exec('begin immediate; rollback')
    other.close()
    await close()
  })
})

describe('migrations', () => {
  let directory = ''
  let path = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-migrations-'))
    path = join(directory, 'collector.db')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('have versions without gaps', () => {
    expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, index) => index + 1))
  })

  it('are applied once', async () => {
    const db = openDatabase({ path })
    expect(await migrate(db)).toEqual(migrations.map((migration) => migration.name))
    expect(await migrate(db)).toEqual([])
    await db.destroy()
  })

  it('refuse a database of a newer version', async () => {
    await (await openStore({ path })).close()
    const raw = new Sqlite(path)
    raw.prepare('insert into schema_migrations (version, name) values (?, ?)').run(migrations.length + 1, 'later')
    raw.close()
    await expect(openStore({ path })).rejects.toMatchObject({ code: 'state.schema-newer' })
  })

  it('leave nothing of a step that fails', async () => {
    const db = openDatabase({ path })
    const broken: Migration = {
      version: migrations.length + 1,
      name: 'broken',
      apply: async (executor) => {
        await sql.raw('create table half (id integer)').execute(executor)
        throw new Error('power cut')
      },
    }
    await expect(migrate(db, [...migrations, broken])).rejects.toThrow('power cut')
    const found = await sql`select name from sqlite_master where name = 'half'`.execute(db)
    expect(found.rows).toEqual([])
    expect(await migrate(db)).toEqual([])
    await db.destroy()
  })
})
