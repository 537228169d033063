import type { Selectable } from 'kysely'
import type { AdvisoryDocument, FeedFetch, FetchedFeed, SignatureState } from '../model/advisory-fetch.ts'
import type { Executor } from './database.ts'
import type { AdvisoryFetchesTable } from './schema-advisories.ts'

/** Rows of one statement: a database takes a bounded number of values. */
const ROWS = 500

const toFetch = (row: Selectable<AdvisoryFetchesTable>): FeedFetch => ({
  feed: row.feed,
  kind: row.kind,
  url: row.url,
  declaredAt: row.declared_at,
  maxAgeMs: row.max_age_ms,
  nextAt: row.next_at,
  attempts: row.attempts,
  attemptedAt: row.attempted_at,
  failures: row.failures,
  mayShrink: row.may_shrink === 1,
  isStale: row.is_stale === 1,
  signature: row.signature,
  asked: row.asked,
  answered: row.answered,
})

export type FeedFetchesRepository = ReturnType<typeof feedFetchesRepository>

/** Feeds that the configuration has fetched: when each is tried next, and how it went. */
export function feedFetchesRepository(db: Executor) {
  return {
    async all(): Promise<readonly FeedFetch[]> {
      return (await db.selectFrom('advisory_fetches').selectAll().orderBy('feed').execute()).map(toFetch)
    },

    async byFeed(feed: string): Promise<FeedFetch | undefined> {
      const row = await db.selectFrom('advisory_fetches').selectAll().where('feed', '=', feed).executeTakeFirst()
      return row && toFetch(row)
    },

    /** What is fetched from now on, and nothing else. One that comes from elsewhere now is looked at afresh. */
    async declare(feeds: readonly FetchedFeed[], now: number): Promise<void> {
      const known = new Map((await this.all()).map((one) => [one.feed, one]))
      for (const { feed, kind, url, maxAgeMs } of feeds) {
        const before = known.get(feed)
        known.delete(feed)
        if (before !== undefined && before.kind === kind && before.url === url) {
          await db.updateTable('advisory_fetches').set({ max_age_ms: maxAgeMs }).where('feed', '=', feed).execute()
          continue
        }
        await this.remove(feed)
        const none = { attempts: before?.attempts ?? 0, attempted_at: null, failures: 0, signature: null }
        const flags = { may_shrink: 0, is_stale: 0 } as const
        const row = { feed, kind, url, declared_at: now, max_age_ms: maxAgeMs, next_at: now, ...none, ...flags }
        await db.insertInto('advisory_fetches').values(row).execute()
        // Validators of another address would say "unchanged" of something else.
        const validators = { etag: null, last_modified: null, digest: null }
        await db.updateTable('advisory_feeds').set(validators).where('id', '=', feed).execute()
      }
      for (const feed of known.keys()) await this.remove(feed)
    },

    /** What it brought stays. */
    async remove(feed: string): Promise<void> {
      await this.forgetDocuments(feed)
      await db.deleteFrom('advisory_fetches').where('feed', '=', feed).execute()
    },

    /** It is fetched as soon as somebody can; `mayShrink`: also where half of it is gone. The number of this request. */
    async request(feed: string, mayShrink: boolean): Promise<number> {
      const row = await db
        .updateTable('advisory_fetches')
        .set((eb) => ({
          next_at: 0,
          failures: 0,
          asked: eb('asked', '+', 1),
          ...(mayShrink ? { may_shrink: 1 as const } : {}),
        }))
        .where('feed', '=', feed)
        .returning('asked')
        .executeTakeFirst()
      return row?.asked ?? 0
    },

    /** `asked`: as it was when the attempt began. Whoever has asked since then is still to get his answer. */
    async settle(
      feed: string,
      { attemptedAt, nextAt, failures, asked }: Pick<FeedFetch, 'attemptedAt' | 'nextAt' | 'failures' | 'asked'>,
    ): Promise<void> {
      const of = db.updateTable('advisory_fetches').where('feed', '=', feed)
      await of.set((eb) => ({ attempts: eb('attempts', '+', 1), attempted_at: attemptedAt, answered: asked })).execute()
      await of
        .where('asked', '=', asked)
        .set({ next_at: nextAt, failures, ...(failures === 0 ? { may_shrink: 0 as const } : {}) })
        .execute()
    },

    async setSignature(feed: string, signature: SignatureState): Promise<void> {
      await db.updateTable('advisory_fetches').set({ signature }).where('feed', '=', feed).execute()
    },

    async setStale(feed: string, isStale: boolean): Promise<void> {
      await db
        .updateTable('advisory_fetches')
        .set({ is_stale: isStale ? 1 : 0 })
        .where('feed', '=', feed)
        .execute()
    },

    async documents(feed: string): Promise<readonly AdvisoryDocument[]> {
      const rows = await db.selectFrom('advisory_documents').selectAll().where('feed', '=', feed).execute()
      return rows.map(({ url, updated, advisories, etag, last_modified: lastModified, digest }) => ({
        url,
        updated,
        advisories: JSON.parse(advisories) as string[],
        etag,
        lastModified,
        digest,
      }))
    },

    /** All of them are fetched again. */
    async forgetDocuments(feed: string): Promise<void> {
      await db.deleteFrom('advisory_documents').where('feed', '=', feed).execute()
    },

    async removeDocuments(feed: string, urls: readonly string[]): Promise<void> {
      for (let at = 0; at < urls.length; at += ROWS) {
        const some = urls.slice(at, at + ROWS)
        await db.deleteFrom('advisory_documents').where('feed', '=', feed).where('url', 'in', some).execute()
      }
    },

    async addDocuments(feed: string, documents: readonly AdvisoryDocument[]): Promise<void> {
      for (let at = 0; at < documents.length; at += ROWS) {
        const rows = documents
          .slice(at, at + ROWS)
          .map(({ url, updated, advisories, etag, lastModified: last_modified, digest }) => {
            const names = JSON.stringify(advisories)
            return { feed, url, updated, advisories: names, etag, last_modified, digest }
          })
        await db.insertInto('advisory_documents').values(rows).execute()
      }
    },
  }
}
