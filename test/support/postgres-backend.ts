import { afterAll, beforeAll } from 'vitest'
import { openStore } from '../../collector/store/index.ts'
import type { Backend } from '../collector/store/support.ts'
import type { PostgresSettings } from '../../collector/store/postgres/pool.ts'
import { postgresName, postgresPrograms, query, startPostgres, type Postgres } from './postgres.ts'

/** Starts a server for the test file; `undefined` outside of its tests. */
export function usePostgres(): () => Postgres {
  let server: Postgres | undefined
  beforeAll(async () => {
    if (postgresPrograms !== undefined) server = await startPostgres()
  })
  afterAll(() => server?.stop())
  return () => {
    if (server === undefined) throw new Error('only within a test')
    return server
  }
}

/** Each test gets the same database, emptied: making a new one takes longer than most tests. */
export function postgresBackend(server: () => Postgres): Backend {
  let made: Promise<PostgresSettings> | undefined
  return {
    name: postgresName,
    skipped: postgresPrograms === undefined,
    open: async () => {
      made ??= server().createDatabase()
      const settings = await made
      const opened = await openStore({ postgres: settings })
      await query(settings, EMPTY)
      return opened
    },
  }
}

const EMPTY = `do $$ begin execute (
  select 'truncate ' || string_agg(quote_ident(tablename), ', ') || ' restart identity cascade'
  from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'
); end $$`
