import { KeepsealError } from '../../../shared/errors.ts'
import type { StoreLocation } from '../index.ts'
import { holdAlone } from '../leadership.ts'
import { kindOfBackup } from './file.ts'
import { backupPostgres, restorePostgres } from './postgres.ts'
import type { RestorePoint } from '../restore-points.ts'
import { backupSqlite, restoreSqlite } from './sqlite.ts'

/** Writes the database into a new file of mode 0600, while the collector runs. Errors: state.*. */
export function backup(location: StoreLocation, file: string): Promise<void> {
  return 'path' in location ? backupSqlite(location.path, file) : backupPostgres(location.postgres, file)
}

/**
 * Puts a backup in the place of the database, which must be empty and which nobody serves from, brings it up to date
 * and marks it as restored. Errors: state.in-use, state.not-empty, state.schema-newer, state.unreadable.
 */
export async function restore(location: StoreLocation, file: string, now: number): Promise<RestorePoint> {
  const wanted = 'path' in location ? 'sqlite' : 'postgresql'
  const kind = await kindOfBackup(file)
  if (kind !== wanted) {
    const found = kind === undefined ? 'no backup' : `a backup of ${kind}`
    throw new KeepsealError('state.unreadable', `${file} is ${found}, and store.engine is ${wanted}`, {
      remedy: 'Name a file that keepseal-collector backup has written with the same store.engine.',
    })
  }
  const release = await holdAlone(location)
  try {
    return 'path' in location
      ? await restoreSqlite(location.path, file, now)
      : await restorePostgres(location.postgres, file, now)
  } finally {
    await release()
  }
}
