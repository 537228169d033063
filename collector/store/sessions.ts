import type { Session } from '../model/evidence.ts'
import type { Executor } from './database.ts'

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
      if (row === undefined) return undefined
      return {
        deviceId: row.device_id,
        session: row.session,
        contiguousTo: row.contiguous_to,
        extra: JSON.parse(row.extra) as readonly number[],
        firstSeenAt: row.first_seen_at,
      }
    },

    /** Inserts, or replaces what is held; the time of the first message stays. */
    async save(session: Session): Promise<void> {
      const held = { contiguous_to: session.contiguousTo, extra: JSON.stringify(session.extra) }
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
