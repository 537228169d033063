import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import { gapsOfDevices, isExplained } from './session-gaps.ts'

/** That the database was put back from a backup. */
export interface RestorePoint {
  /** Greater than that of every restore point before. */
  readonly number: number
  readonly restoredAt: number
  /** When the newest receipt was issued that the backup knows of; null where it knows of none. */
  readonly newestReceiptAt: number | null
  /** The number from which epochs go on. */
  readonly firstEpoch: number
}

/** Reports `first` to `last` of a session, with when those before and after them arrived, ms since 1970. */
export interface RestoredGap {
  readonly ueid: Ueid
  readonly session: Uint8Array
  readonly first: number
  readonly last: number
  /** null where nothing of the session is held from before. */
  readonly before: number | null
  readonly after: number
}

const MOST = 1_000

export type RestorePointsRepository = ReturnType<typeof restorePointsRepository>

/** Written by `keepseal-collector restore` alone, while nobody serves. */
export function restorePointsRepository(db: Executor) {
  return {
    /** Undefined for a database that was never restored. */
    async newest(): Promise<RestorePoint | undefined> {
      return db
        .selectFrom('restore_points')
        .select([
          'number',
          'restored_at as restoredAt',
          'newest_receipt_at as newestReceiptAt',
          'first_epoch as firstEpoch',
        ])
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst()
    },

    async add({ number, restoredAt, newestReceiptAt, firstEpoch }: RestorePoint): Promise<void> {
      await db
        .insertInto('restore_points')
        .values({
          number,
          restored_at: restoredAt,
          newest_receipt_at: newestReceiptAt,
          first_epoch: firstEpoch,
          published_at: null,
        })
        .execute()
    },

    /** Newest first: a database that is put back often has some. */
    async list(): Promise<readonly (RestorePoint & { readonly publishedAt: number | null })[]> {
      return db
        .selectFrom('restore_points')
        .select([
          'number',
          'restored_at as restoredAt',
          'newest_receipt_at as newestReceiptAt',
          'first_epoch as firstEpoch',
          'published_at as publishedAt',
        ])
        .orderBy('number', 'desc')
        .limit(MOST)
        .execute()
    },

    /** Numbers of reports that are not held because the database was put back then, device by device. */
    async gaps({ restoredAt }: Pick<RestorePoint, 'restoredAt'>, page: PageRequest): Promise<Page<RestoredGap>> {
      const cursor = integerCursor(page)
      let query = db
        .selectFrom('sessions')
        .innerJoin('devices', 'devices.id', 'sessions.device_id')
        .select(['devices.id as id', 'devices.ueid as ueid'])
        .distinct()
        .where('sessions.extra', '<>', '[]')
        .orderBy('devices.id')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('devices.id', '>', cursor)
      const devices = toPage(
        await query.execute(),
        page,
        ({ id }) => id,
        (row) => row,
      )
      const ueids = new Map(devices.items.map(({ id, ueid }) => [id, ueid]))
      const gaps = await gapsOfDevices(db, [...ueids.keys()])
      const items = gaps.flatMap((gap) => {
        const ueid = ueids.get(gap.deviceId)
        if (ueid === undefined || gap.after === null || !isExplained(gap, restoredAt)) return []
        const { session, first, last, before, after } = gap
        return [{ ueid, session, first, last, before, after }]
      })
      return { items, nextCursor: devices.nextCursor }
    },

    /** The broker has it. The first time is what is kept. */
    async markPublished(number: number, at: number): Promise<void> {
      await db
        .updateTable('restore_points')
        .set({ published_at: at })
        .where('number', '=', number)
        .where('published_at', 'is', null)
        .execute()
    },
  }
}
