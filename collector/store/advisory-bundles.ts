import type { Executor } from './database.ts'

/** A bundle that is on its way in. */
export interface IncomingBundle {
  /** SHA-256 of its first page. */
  readonly id: Uint8Array
  readonly signer: string
  /** SHA-256 of the last page that is here, how many there are, and where the next one begins. */
  readonly head: Uint8Array
  readonly pages: number
  readonly next: { readonly feed: number; readonly after: string }
  readonly isForced: boolean
  /** By feed of the bundle, in its order: what is filled and does not count yet. */
  readonly sets: readonly number[]
}

export type AdvisoryBundlesRepository = ReturnType<typeof advisoryBundlesRepository>

export function advisoryBundlesRepository(db: Executor) {
  return {
    /** Of the page that came last. */
    async byHead(head: Uint8Array): Promise<IncomingBundle | undefined> {
      const row = await db.selectFrom('advisory_bundles').selectAll().where('head', '=', head).executeTakeFirst()
      return (
        row && {
          id: row.id,
          signer: row.signer,
          head: row.head,
          pages: row.pages,
          next: { feed: row.next_feed, after: row.next_after },
          isForced: row.is_forced === 1,
          sets: JSON.parse(row.sets) as number[],
        }
      )
    },

    /** In the place of the same one, where it was begun before. */
    async put({ id, signer, head, pages, next, isForced, sets }: IncomingBundle, now: number): Promise<void> {
      await this.remove(id)
      const row = { id, signer, head, pages, next_feed: next.feed, next_after: next.after, sets: JSON.stringify(sets) }
      await db
        .insertInto('advisory_bundles')
        .values({ ...row, is_forced: isForced ? 1 : 0, started_at: now })
        .execute()
    },

    async remove(id: Uint8Array): Promise<void> {
      await db.deleteFrom('advisory_bundles').where('id', '=', id).execute()
    },

    /** Those that nobody goes on with. */
    async removeBefore(time: number): Promise<void> {
      await db.deleteFrom('advisory_bundles').where('started_at', '<', time).execute()
    },
  }
}
