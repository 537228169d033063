import { sql } from 'kysely'
import type { WrongRecord } from '../model/advisory.ts'
import type { Executor } from './database.ts'

export type WrongRecordsRepository = ReturnType<typeof wrongRecordsRepository>

/** Records that were left out of sets of advisories, and what goes on to count in their place. */
export function wrongRecordsRepository(db: Executor) {
  return {
    async ofSet(set: number): Promise<readonly WrongRecord[]> {
      const rows = await db
        .selectFrom('wrong_records')
        .select(['place', 'advisory', 'package', 'code', 'detail'])
        .where('set_id', '=', set)
        .orderBy('place')
        .execute()
      return rows as readonly WrongRecord[]
    },

    /** In the place of what was written down of these places. */
    async put(set: number, wrong: readonly WrongRecord[]): Promise<void> {
      await this.forget(
        set,
        wrong.map(({ place }) => place),
      )
      if (wrong.length === 0) return
      const each = new Map(wrong.map((one) => [one.place, one]))
      await db
        .insertInto('wrong_records')
        .values([...each.values()].map(({ package: name, ...rest }) => ({ ...rest, package: name, set_id: set })))
        .execute()
    },

    async forget(set: number, places: readonly string[]): Promise<void> {
      for (let at = 0; at < places.length; at += 500) {
        const some = places.slice(at, at + 500)
        await db.deleteFrom('wrong_records').where('set_id', '=', set).where('place', 'in', some).execute()
      }
    },

    /** What one set says of the advisory, or of the package, comes into another that lacks it. */
    async keep(into: number, from: number, { advisory, package: name }: WrongRecord): Promise<void> {
      if (advisory === null && name === null) return
      const set = sql<number>`cast(${into} as bigint)`.as('set_id')
      await db
        .insertInto('advisories')
        .columns(['set_id', 'id', 'severity', 'published', 'withdrawn', 'content'])
        .expression((eb) => {
          const known = eb
            .selectFrom('advisories')
            .select([set, 'id', 'severity', 'published', 'withdrawn', 'content'])
            .where('set_id', '=', from)
          if (advisory !== null) return known.where('id', '=', advisory)
          return known.where('id', 'in', (of) =>
            of
              .selectFrom('advisory_statements')
              .select('advisory')
              .where('set_id', '=', from)
              .where('package', '=', name ?? ''),
          )
        })
        .onConflict((conflict) => conflict.columns(['set_id', 'id']).doNothing())
        .execute()
      await db
        .insertInto('advisory_statements')
        .columns(['set_id', 'package', 'advisory', 'content'])
        .expression((eb) =>
          eb
            .selectFrom('advisory_statements')
            .select([set, 'package', 'advisory', 'content'])
            .where('set_id', '=', from)
            .$if(advisory !== null, (query) => query.where('advisory', '=', advisory ?? ''))
            .$if(name !== null, (query) => query.where('package', '=', name ?? '')),
        )
        .execute()
    },
  }
}
