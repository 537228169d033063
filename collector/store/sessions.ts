import type { Selectable } from 'kysely'
import type { Session } from '../model/evidence.ts'
import type { Executor } from './database.ts'
import type { SessionsTable } from './schema.ts'

export function toSession(row: Selectable<SessionsTable>): Session {
  return {
    deviceId: row.device_id,
    session: row.session,
    contiguousTo: row.contiguous_to,
    extra: JSON.parse(row.extra) as Session['extra'],
    firstSeenAt: row.first_seen_at,
    firstEpoch: row.first_epoch,
    lastEpoch: row.last_epoch,
  }
}

export type SessionsRepository = ReturnType<typeof sessionsRepository>

/** Agent runs: which sequence numbers of each are held. */
export function sessionsRepository(db: Executor) {
  return {
    async find(deviceId: number, session: Uint8Array): Promise<Session | undefined> {
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('session', '=', session)
        .executeTakeFirst()
      return row === undefined ? undefined : toSession(row)
    },

    /** The newest `limit` sessions that had fresh evidence, newest first: those that a clone would interleave with. */
    async recentlyFresh(deviceId: number, limit: number): Promise<readonly Session[]> {
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('last_epoch', 'is not', null)
        .orderBy('last_epoch', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toSession)
    },

    /** Inserts, or replaces what is held; the time of the first message stays. */
    async save(session: Session): Promise<void> {
      const held = {
        contiguous_to: session.contiguousTo,
        extra: JSON.stringify(session.extra),
        first_epoch: session.firstEpoch,
        last_epoch: session.lastEpoch,
      }
      await db
        .insertInto('sessions')
        .values({
          device_id: session.deviceId,
          session: session.session,
          first_seen_at: session.firstSeenAt,
          ...held,
        })
        .onConflict((conflict) => conflict.columns(['device_id', 'session']).doUpdateSet(held))
        .execute()
    },
  }
}
