import type { Selectable } from 'kysely'
import type { AdvisoryFeed, FeedAuthority } from '../model/advisory.ts'
import type { Executor } from './database.ts'
import type { AdvisoryFeedsTable } from './schema-advisories.ts'

/** Rows of one statement: a database takes a bounded number of values. */
const ROWS = 500

function toFeed(row: Selectable<AdvisoryFeedsTable>): AdvisoryFeed {
  const { problem_code: code, problem_detail: detail, problem_since: since } = row
  return {
    id: row.id,
    authority: row.authority,
    activeSet: row.active_set,
    advisories: row.advisories,
    checkedAt: row.checked_at,
    changedAt: row.changed_at,
    etag: row.etag,
    lastModified: row.last_modified,
    digest: row.digest,
    problem: code === null ? null : { code, detail: detail ?? '', since: since ?? 0 },
    wrong: row.wrong,
    largest: row.largest === null ? null : { advisories: row.largest, at: row.largest_at ?? 0 },
  }
}

export type AdvisorySetsRepository = ReturnType<typeof advisorySetsRepository>

/** Feeds, and the sets of advisories that they brought. */
export function advisorySetsRepository(db: Executor) {
  return {
    async feeds(): Promise<readonly AdvisoryFeed[]> {
      return (await db.selectFrom('advisory_feeds').selectAll().orderBy('id').execute()).map(toFeed)
    },

    async feed(id: string): Promise<AdvisoryFeed | undefined> {
      const row = await db.selectFrom('advisory_feeds').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toFeed(row)
    },

    /** Makes it, or says whose word it is from now on. */
    async declareFeed(id: string, authority: FeedAuthority): Promise<void> {
      await db
        .insertInto('advisory_feeds')
        .values({ id, authority, advisories: 0 })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ authority }))
        .execute()
    },

    /** A set that is filled and does not count yet. */
    async beginSet(feed: string, now: number): Promise<number> {
      const { id } = await db
        .insertInto('advisory_sets')
        .values({ feed, started_at: now })
        .returning('id')
        .executeTakeFirstOrThrow()
      return Number(id)
    },

    /** It will never count. */
    async abandon(set: number): Promise<void> {
      await db.updateTable('advisory_sets').set({ started_at: 0 }).where('id', '=', set).execute()
    },

    /** From now on this set counts. */
    async activate(
      feed: string,
      set: number,
      values: Pick<AdvisoryFeed, 'etag' | 'lastModified' | 'digest'>,
      now: number,
    ) {
      const { wrong } = await db
        .selectFrom('wrong_records')
        .select(({ fn }) => fn.countAll().as('wrong'))
        .where('set_id', '=', set)
        .executeTakeFirstOrThrow()
      await db
        .updateTable('advisory_feeds')
        .set({
          active_set: set,
          advisories: await this.count(set),
          wrong: Number(wrong),
          checked_at: now,
          changed_at: now,
          etag: values.etag,
          last_modified: values.lastModified,
          digest: values.digest,
          problem_code: null,
          problem_detail: null,
          problem_since: null,
        })
        .where('id', '=', feed)
        .execute()
    },

    async setLargest(feed: string, largest: NonNullable<AdvisoryFeed['largest']>): Promise<void> {
      const { advisories, at } = largest
      await db
        .updateTable('advisory_feeds')
        .set({ largest: advisories, largest_at: at })
        .where('id', '=', feed)
        .execute()
    },

    /** As somebody else has looked at it. */
    async setTimes(feed: string, times: { readonly checkedAt: number; readonly changedAt: number }): Promise<void> {
      const { checkedAt: checked_at, changedAt: changed_at } = times
      await db.updateTable('advisory_feeds').set({ checked_at, changed_at }).where('id', '=', feed).execute()
    },

    /** It was looked at and has brought nothing new. */
    async checked(feed: string, now: number): Promise<void> {
      await db
        .updateTable('advisory_feeds')
        .set({ checked_at: now, problem_code: null, problem_detail: null, problem_since: null })
        .where('id', '=', feed)
        .execute()
    },

    /** True where it is another problem than before. */
    async failed(feed: string, code: string, detail: string, now: number): Promise<boolean> {
      const before = await this.feed(feed)
      const isNew = before?.problem?.code !== code
      await db
        .updateTable('advisory_feeds')
        .set({
          problem_code: code,
          problem_detail: detail,
          problem_since: isNew ? now : (before?.problem?.since ?? now),
        })
        .where('id', '=', feed)
        .execute()
      return isNew
    },

    async count(set: number): Promise<number> {
      const { count } = await db
        .selectFrom('advisories')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('set_id', '=', set)
        .executeTakeFirstOrThrow()
      if (Number(count) > 0) return Number(count)
      const facts = await db
        .selectFrom('vulnerability_facts')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('set_id', '=', set)
        .executeTakeFirstOrThrow()
      return Number(facts.count)
    },

    /** Sets that count no more, or never did and are older than `before`. */
    async staleSets(before: number): Promise<readonly number[]> {
      const rows = await db
        .selectFrom('advisory_sets')
        .leftJoin('advisory_feeds', 'advisory_feeds.active_set', 'advisory_sets.id')
        .select('advisory_sets.id')
        .where('advisory_feeds.id', 'is', null)
        .where('advisory_sets.started_at', '<', before)
        .execute()
      return rows.map(({ id }) => Number(id))
    },

    /** Removes a set, some rows at a time: true when nothing of it is left. */
    async removeSome(set: number, rows: number): Promise<boolean> {
      const some = await db.selectFrom('advisories').select('id').where('set_id', '=', set).limit(rows).execute()
      if (some.length > 0) {
        await this.removeFrom(
          set,
          some.map(({ id }) => id),
        )
        return false
      }
      await db.deleteFrom('vulnerability_facts').where('set_id', '=', set).execute()
      await db.deleteFrom('wrong_records').where('set_id', '=', set).execute()
      await db.deleteFrom('advisory_sets').where('id', '=', set).execute()
      return true
    },

    /** Packages that these advisories of a set are about are to be looked at again. */
    async markChanged(set: number, advisories: readonly string[]): Promise<void> {
      for (let at = 0; at < advisories.length; at += ROWS) {
        await db
          .insertInto('changed_packages')
          .columns(['package'])
          .expression((eb) =>
            eb
              .selectFrom('advisory_statements')
              .select('package')
              .distinct()
              .where('set_id', '=', set)
              .where('advisory', 'in', advisories.slice(at, at + ROWS)),
          )
          .onConflict((conflict) => conflict.column('package').doNothing())
          .execute()
      }
    },

    /** Packages of which one set says what the other does not. */
    async markDifferences(one: number, other: number | null): Promise<void> {
      for (const [left, right] of other === null
        ? [[one, -1] as const]
        : [[one, other] as const, [other, one] as const]) {
        await db
          .insertInto('changed_packages')
          .columns(['package'])
          .expression((eb) =>
            eb
              .selectFrom('advisory_statements as mine')
              .select('mine.package')
              .distinct()
              .where('mine.set_id', '=', left)
              .where(({ not, exists, selectFrom }) =>
                not(
                  exists(
                    selectFrom('advisory_statements as theirs')
                      .select('theirs.package')
                      .where('theirs.set_id', '=', right)
                      .whereRef('theirs.package', '=', 'mine.package')
                      .whereRef('theirs.advisory', '=', 'mine.advisory')
                      .whereRef('theirs.content', '=', 'mine.content'),
                  ),
                ),
              ),
          )
          .onConflict((conflict) => conflict.column('package').doNothing())
          .execute()
      }
    },

    /** Takes advisories out of a set, to put others of the same name in. */
    async removeFrom(set: number, advisories: readonly string[]): Promise<void> {
      for (let at = 0; at < advisories.length; at += ROWS) {
        const some = advisories.slice(at, at + ROWS)
        await db.deleteFrom('advisory_statements').where('set_id', '=', set).where('advisory', 'in', some).execute()
        await db.deleteFrom('advisories').where('set_id', '=', set).where('id', 'in', some).execute()
      }
    },
  }
}
