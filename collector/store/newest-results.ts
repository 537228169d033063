import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Executor } from './database.ts'

/** A result as it was signed last. */
export interface NewestResult {
  readonly deviceId: number
  /** ms since 1970. */
  readonly issuedAt: number
  readonly cwt: Uint8Array
  /** Thumbprint of the key that signed it. */
  readonly keyId: Uint8Array
}

export type NewestResultsRepository = ReturnType<typeof newestResultsRepository>

/** One result of each device: the one that was signed last. */
export function newestResultsRepository(db: Executor) {
  return {
    /** An older one changes nothing. */
    async put({ deviceId, issuedAt, cwt, keyId }: NewestResult): Promise<void> {
      await db
        .insertInto('newest_results')
        .values({ device_id: deviceId, issued_at: issuedAt, cwt, key_id: keyId })
        .onConflict((conflict) =>
          conflict
            .column('device_id')
            .doUpdateSet({ issued_at: issuedAt, cwt, key_id: keyId })
            .where('newest_results.issued_at', '<=', issuedAt),
        )
        .execute()
    },

    async of(deviceId: number): Promise<NewestResult | undefined> {
      const row = await db
        .selectFrom('newest_results')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('cwt', 'is not', null)
        .executeTakeFirst()
      if (row === undefined || row.cwt === null || row.key_id === null) return undefined
      return { deviceId: row.device_id, issuedAt: row.issued_at, cwt: row.cwt, keyId: row.key_id }
    },

    /** Devices in service whose newest result was signed before this moment, the oldest first. */
    async issuedBefore(
      moment: number,
      limit: number,
    ): Promise<readonly { readonly deviceId: number; readonly ueid: Ueid }[]> {
      return db
        .selectFrom('newest_results')
        .innerJoin('devices', 'devices.id', 'newest_results.device_id')
        .select(['newest_results.device_id as deviceId', 'devices.ueid as ueid'])
        .where('newest_results.issued_at', '<', moment)
        .where('devices.enrolment', '=', 'active')
        .orderBy('newest_results.issued_at')
        .limit(limit)
        .execute()
    },
  }
}
