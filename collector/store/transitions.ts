import type { Transition } from '../model/transition.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

export type TransitionsRepository = ReturnType<typeof transitionsRepository>

/** What became of devices and why. Append-only. */
export function transitionsRepository(db: Executor) {
  return {
    async append(transitions: readonly Transition[]): Promise<void> {
      if (transitions.length === 0) return
      const rows = transitions.map(({ deviceId, at, axis, from, to, cause }) => ({
        device_id: deviceId,
        at,
        axis,
        from_value: from,
        to_value: to,
        cause,
      }))
      await db.insertInto('device_transitions').values(rows).execute()
    },

    /** Newest first. */
    async list(deviceId: number, page: PageRequest): Promise<Page<Transition>> {
      const cursor = integerCursor(page)
      let query = db
        .selectFrom('device_transitions')
        .selectAll()
        .where('device_id', '=', deviceId)
        .orderBy('id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row) => ({
          deviceId: row.device_id,
          at: row.at,
          axis: row.axis,
          from: row.from_value,
          to: row.to_value,
          cause: row.cause,
        }),
      )
    },
  }
}
