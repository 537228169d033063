import { usePostgres } from '../../support/postgres-backend.ts'
import { postgresName, postgresPrograms, query } from '../../support/postgres.ts'
import { describeBackup } from '../../support/backup-suite.ts'

const server = usePostgres()

describeBackup({
  name: postgresName,
  skipped: postgresPrograms === undefined,
  fresh: async () => ({ postgres: await server().createDatabase() }),
  age: async (location, version) => {
    if (!('postgres' in location)) return
    await query(location.postgres, `insert into schema_migrations (version, name) values (${version}, 'later')`)
  },
})
