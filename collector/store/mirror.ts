import type { MirroredEnrolment } from '../../shared/mirror/enrolment.ts'
import type { MirroredEvidence, MirroredRun, UnitDeclaration } from '../../shared/mirror/page.ts'
import type { Position } from '../../shared/mirror/position.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import { isUeid, ueidBytes } from '../../shared/evidence/identifiers.ts'
import type { Executor } from './database.ts'
import { kept } from './evidence.ts'

/** A row with the number by which it is found again. */
export interface Numbered<T> {
  readonly id: number
  readonly item: T
}

/** Where kept evidence stands in the counting of its device. */
export interface Place {
  readonly deviceId: number
  readonly session: Uint8Array
  readonly seq: number
}

const bytesOf = (ueid: string): Uint8Array => {
  if (!isUeid(ueid)) throw new TypeError(`${ueid} is no UEID`)
  return ueidBytes(ueid)
}

export type MirrorRepository = ReturnType<typeof mirrorRepository>

/** What has been added to the record, by primary keys. Nothing here changes a row. */
export function mirrorRepository(db: Executor) {
  const enrolmentRows = () =>
    db
      .selectFrom('device_enrolments')
      .innerJoin('devices', 'devices.id', 'device_enrolments.device_id')
      .innerJoin('products', 'products.id', 'devices.product_id')
      .select([
        'device_enrolments.id',
        'devices.ueid',
        'products.vendor',
        'products.model',
        'devices.hardware_revision',
        'devices.serial',
        'device_enrolments.identity',
        'device_enrolments.device_key',
        'device_enrolments.ak_public',
        'device_enrolments.ek_name',
        'device_enrolments.ek_certificate',
      ])
  const runRows = () =>
    db
      .selectFrom('evidence_runs')
      .innerJoin('devices', 'devices.id', 'evidence_runs.device_id')
      .selectAll('evidence_runs')
      .select('devices.ueid')

  return {
    /**
     * How far each part goes. Asked for in an ordinary transaction, which no other one writes beside: a number below
     * these is never given to a row that is committed later.
     */
    async end(): Promise<Position> {
      const newest = async (table: 'device_enrolments' | 'unit_declarations' | 'evidence'): Promise<number> => {
        const row = await db.selectFrom(table).select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
        return row?.id ?? 0
      }
      const decision = await db
        .selectFrom('decisions')
        .select('entry_index')
        .orderBy('entry_index', 'desc')
        .limit(1)
        .executeTakeFirst()
      return {
        enrolments: await newest('device_enrolments'),
        declarations: await newest('unit_declarations'),
        decisions: decision === undefined ? 0 : decision.entry_index + 1,
        evidence: await newest('evidence'),
      }
    },

    /** Those with a number after `after`, up to `until`, in order. */
    async enrolments(after: number, until: number, limit: number): Promise<readonly Numbered<MirroredEnrolment>[]> {
      const rows = await enrolmentRows()
        .where('device_enrolments.id', '>', after)
        .where('device_enrolments.id', '<=', until)
        .orderBy('device_enrolments.id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        id: row.id,
        item: {
          ueid: bytesOf(row.ueid),
          vendor: row.vendor,
          model: row.model,
          hardwareRevision: row.hardware_revision,
          serial: row.serial,
          identity: row.identity,
          deviceKey: row.device_key,
          akPublic: row.ak_public,
          ekName: row.ek_name,
          ekCertificate: row.ek_certificate === null ? null : sha256(row.ek_certificate),
        },
      }))
    },

    async declarations(after: number, until: number, limit: number): Promise<readonly Numbered<UnitDeclaration>[]> {
      const rows = await db
        .selectFrom('unit_declarations')
        .innerJoin('products', 'products.id', 'unit_declarations.product_id')
        .select(['unit_declarations.id', 'vendor', 'model', 'declared', 'declared_at'])
        .where('unit_declarations.id', '>', after)
        .where('unit_declarations.id', '<=', until)
        .orderBy('unit_declarations.id')
        .limit(limit)
        .execute()
      return rows.map(({ id, vendor, model, declared, declared_at: at }) => ({
        id,
        item: { vendor, model, declared, at: Math.floor(at / 1000) },
      }))
    },

    async evidence(
      after: number,
      until: number,
      limit: number,
    ): Promise<readonly (Numbered<MirroredEvidence> & { readonly place: Place })[]> {
      const rows = await kept(db).where('id', '>', after).where('id', '<=', until).orderBy('id').limit(limit).execute()
      return rows.map(({ id, device_id: deviceId, session, seq, received_at, outcome, verdict, bytes }) => ({
        id,
        item: { receivedAt: Math.floor(received_at / 1000), outcome, verdict, bytes },
        place: { deviceId, session, seq },
      }))
    },

    /**
     * The run that a message is in, the one before it in its session, and the one that the device began before: a run
     * that has ended is told once more by what follows it, and so at its whole length.
     */
    async runsAt({ deviceId, session, seq }: Place): Promise<readonly Numbered<MirroredRun>[]> {
      const around = await runRows()
        .where('device_id', '=', deviceId)
        .where('session', '=', session)
        .where('first_seq', '<=', seq)
        .orderBy('first_seq', 'desc')
        .limit(2)
        .execute()
      const [own] = around
      const earlier =
        own === undefined
          ? []
          : await runRows()
              .where('evidence_runs.device_id', '=', deviceId)
              .where('evidence_runs.id', '<', own.id)
              .orderBy('evidence_runs.id', 'desc')
              .limit(1)
              .execute()
      return [...around, ...earlier].map((row) => ({
        id: row.id,
        item: {
          ueid: bytesOf(row.ueid),
          session: row.session,
          first: row.first_seq,
          last: row.last_seq,
          firstPrevious: row.first_previous,
          headHash: row.head_hash,
        },
      }))
    },

    /** Hash of a message, if it is still kept. */
    async evidenceHash(id: number): Promise<Uint8Array | null> {
      const row = await db.selectFrom('evidence').select('hash').where('id', '=', id).executeTakeFirst()
      return row?.hash ?? null
    },
  }
}
