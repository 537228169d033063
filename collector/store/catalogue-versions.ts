import type { Executor } from './database.ts'

/** The version of the catalogue and of each mapping, by its name. */
export type CatalogueVersions = Readonly<Record<string, string>>

export type CatalogueVersionsRepository = ReturnType<typeof catalogueVersionsRepository>

/** By which versions practices were judged: added to when they are others than before, never changed. */
export function catalogueVersionsRepository(db: Executor) {
  const newest = (until?: number) => {
    const query = db.selectFrom('catalogue_versions').select('versions').orderBy('used_from', 'desc').limit(1)
    return (until === undefined ? query : query.where('used_from', '<=', until)).executeTakeFirst()
  }

  return {
    /** Saving what is known already changes nothing. */
    async use(versions: CatalogueVersions, now: number): Promise<void> {
      const text = JSON.stringify(Object.fromEntries(Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1))))
      if ((await newest())?.versions === text) return
      await db
        .insertInto('catalogue_versions')
        .values({ used_from: now, versions: text })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    /** Those that were used at a moment (ms since 1970); before the first that is known, that one. */
    async at(moment: number): Promise<CatalogueVersions | undefined> {
      const oldest = db.selectFrom('catalogue_versions').select('versions').orderBy('used_from').limit(1)
      const row = (await newest(moment)) ?? (await oldest.executeTakeFirst())
      return row && (JSON.parse(row.versions) as CatalogueVersions)
    },
  }
}
