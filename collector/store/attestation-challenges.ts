import { sql, type Selectable } from 'kysely'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { AttestationChallenge, ChallengeAnswer } from '../model/attestation-challenge.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { AttestationChallengesTable } from './schema-liveness.ts'

const KEPT_PER_DEVICE = 50

/** A challenge with what it takes to send it. */
export interface WaitingChallenge {
  readonly challenge: AttestationChallenge
  readonly ueid: Ueid
  readonly deviceKeyThumbprint: Uint8Array
}

export type AskedChallenge = Omit<AttestationChallenge, 'supersededAt' | 'tries' | 'sentAt' | 'answer'>

export type AttestationChallengesRepository = ReturnType<typeof attestationChallengesRepository>

export function attestationChallengesRepository(db: Executor) {
  const waiting = (now: number) =>
    db
      .selectFrom('attestation_challenges')
      .innerJoin('devices', 'devices.id', 'attestation_challenges.device_id')
      .selectAll('attestation_challenges')
      .select(['devices.ueid as ueid', 'devices.device_key_thumbprint as deviceKeyThumbprint'])
      .where('attestation_challenges.answered_at', 'is', null)
      .where('attestation_challenges.superseded_at', 'is', null)
      .where('attestation_challenges.expires_at', '>=', now)
  return {
    /** Takes the place of one that waits; keeps the newest 50 of the device. */
    async insert(asked: AskedChallenge): Promise<void> {
      const { id, deviceId, number, nonce, askedBy, askedAt, expiresAt } = asked
      await db
        .updateTable('attestation_challenges')
        .set({ superseded_at: askedAt })
        .where('device_id', '=', deviceId)
        .where('answered_at', 'is', null)
        .where('superseded_at', 'is', null)
        .execute()
      const unsent = { tries: 0, sent_at: null, superseded_at: null }
      const unanswered = { answered_at: null, evidence_hash: null, fresh: null, verdict: null, code: null }
      await db
        .insertInto('attestation_challenges')
        .values({
          id,
          device_id: deviceId,
          number,
          nonce,
          asked_by: askedBy,
          asked_at: askedAt,
          expires_at: expiresAt,
          ...unsent,
          ...unanswered,
        })
        .execute()
      const kept = db
        .selectFrom('attestation_challenges')
        .select('number')
        .where('device_id', '=', deviceId)
        .orderBy('number', 'desc')
        .limit(KEPT_PER_DEVICE)
      await db
        .deleteFrom('attestation_challenges')
        .where('device_id', '=', deviceId)
        .where('number', 'not in', kept)
        .execute()
    },

    async newest(deviceId: number): Promise<AttestationChallenge | undefined> {
      const row = await db
        .selectFrom('attestation_challenges')
        .selectAll()
        .where('device_id', '=', deviceId)
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && toChallenge(row)
    },

    async byId(deviceId: number, id: string): Promise<AttestationChallenge | undefined> {
      const row = await db
        .selectFrom('attestation_challenges')
        .selectAll()
        .where('id', '=', id)
        .where('device_id', '=', deviceId)
        .executeTakeFirst()
      return row && toChallenge(row)
    },

    /** Of this device alone: the nonce of another one's means nothing. */
    async byNonce(deviceId: number, nonce: Uint8Array): Promise<AttestationChallenge | undefined> {
      const row = await db
        .selectFrom('attestation_challenges')
        .selectAll()
        .where('nonce', '=', nonce)
        .where('device_id', '=', deviceId)
        .executeTakeFirst()
      return row && toChallenge(row)
    },

    /** Newest first. */
    async list(deviceId: number, page: PageRequest): Promise<Page<AttestationChallenge>> {
      const cursor = integerCursor(page)
      let query = db
        .selectFrom('attestation_challenges')
        .selectAll()
        .where('device_id', '=', deviceId)
        .orderBy('number', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('number', '<', cursor)
      return toPage(await query.execute(), page, ({ number }) => number, toChallenge)
    },

    async saveAnswer(id: string, { at, evidenceHash, fresh, verdict, code }: ChallengeAnswer): Promise<void> {
      await db
        .updateTable('attestation_challenges')
        .set({ answered_at: at, evidence_hash: evidenceHash, fresh: fresh ? 1 : 0, verdict, code })
        .where('id', '=', id)
        .execute()
    },

    /** Never sent yet, oldest first. */
    async unsent(now: number, limit: number): Promise<readonly WaitingChallenge[]> {
      const rows = await waiting(now)
        .where('attestation_challenges.tries', '=', 0)
        .orderBy('attestation_challenges.asked_at')
        .limit(limit)
        .execute()
      return rows.map(toWaiting)
    },

    async waitingOf(devices: readonly number[], now: number): Promise<readonly WaitingChallenge[]> {
      if (devices.length === 0) return []
      return (await waiting(now).where('attestation_challenges.device_id', 'in', devices).execute()).map(toWaiting)
    },

    /** True for the one of several collectors that is to send it now. */
    async take({ id, tries }: Pick<AttestationChallenge, 'id' | 'tries'>, now: number): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('attestation_challenges')
        .set({ tries: sql<number>`tries + 1`, sent_at: now })
        .where('id', '=', id)
        .where('tries', '=', tries)
        .where('answered_at', 'is', null)
        .executeTakeFirstOrThrow()
      return numUpdatedRows === 1n
    },
  }
}

const toWaiting = ({
  ueid,
  deviceKeyThumbprint,
  ...row
}: Selectable<AttestationChallengesTable> & Omit<WaitingChallenge, 'challenge'>): WaitingChallenge => ({
  challenge: toChallenge(row),
  ueid,
  deviceKeyThumbprint,
})

function toChallenge(row: Selectable<AttestationChallengesTable>): AttestationChallenge {
  const { answered_at: at, evidence_hash: evidenceHash, verdict, code } = row
  return {
    id: row.id,
    deviceId: row.device_id,
    number: row.number,
    nonce: row.nonce,
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
    supersededAt: row.superseded_at,
    tries: row.tries,
    sentAt: row.sent_at,
    answer:
      at === null || evidenceHash === null || verdict === null
        ? null
        : { at, evidenceHash, fresh: row.fresh === 1, verdict, code },
  }
}
