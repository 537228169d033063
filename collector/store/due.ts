import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Executor } from './database.ts'
import { isStale, type StaleMoments } from './stale-moments.ts'

/** Whose last fresh evidence, or whose enrolment, is older than these moments has passed a deadline. ms since 1970. */
export interface LivenessDeadlines extends StaleMoments {
  readonly silent: number
  readonly neverSeen: number
}

export interface DueDevice {
  readonly deviceId: number
  readonly ueid: Ueid
}

export type DueRepository = ReturnType<typeof dueRepository>

/**
 * Devices that have passed a deadline which nobody was told of, by scan: an index over what each report updates would
 * cost every report more than a look through the narrow table once in a while.
 */
export function dueRepository(db: Executor) {
  return {
    /** The scan goes over the keys up to this one, a part at a time. */
    async lastDevice(): Promise<number> {
      const row = await db
        .selectFrom('device_states')
        .select(({ fn }) => fn.max('device_id').as('id'))
        .executeTakeFirst()
      return Number(row?.id ?? 0)
    },

    async between(
      after: number,
      upTo: number,
      { silent, neverSeen, ...stale }: LivenessDeadlines,
      limit: number,
    ): Promise<readonly DueDevice[]> {
      const part = () =>
        db
          .selectFrom('device_states')
          .innerJoin('devices', 'devices.id', 'device_states.device_id')
          .select(['device_states.device_id as deviceId', 'devices.ueid as ueid'])
          .where('device_states.device_id', '>', after)
          .where('device_states.device_id', '<=', upTo)
          .where('devices.enrolment', '=', 'active')
          .limit(limit)
      const quiet = await part()
        .where((eb) =>
          eb.or([
            eb.and([eb('device_states.liveness', '=', 'fresh'), isStale(eb, stale)]),
            eb.and([eb('device_states.liveness', '=', 'stale'), eb('device_states.last_fresh_at', '<', silent)]),
          ]),
        )
        .execute()
      const unseen = await part()
        .where('device_states.liveness', '=', 'never-seen')
        .where('devices.enrolled_at', '<', neverSeen)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('findings')
                .select('findings.id')
                .whereRef('findings.device_id', '=', 'device_states.device_id')
                .where('findings.code', '=', 'liveness.never-seen')
                .where('findings.state', '<>', 'resolved'),
            ),
          ),
        )
        .execute()
      return [...quiet, ...unseen]
    },
  }
}
