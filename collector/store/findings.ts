import type { Selectable } from 'kysely'
import type { FindingCode } from '../../shared/codes/findings.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Finding, FindingState } from '../model/finding.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { FindingsTable } from './schema.ts'

export interface FindingFilter {
  readonly state?: FindingState | readonly FindingState[] | undefined
  readonly deviceUeid?: Ueid | undefined
  readonly productId?: string | undefined
  readonly code?: FindingCode | undefined
  /** Gathered in this case. */
  readonly caseId?: string | undefined
}

export interface FindingOfDevice {
  readonly finding: Finding
  readonly ueid: Ueid
  readonly productId: string
}

function toFinding(row: Selectable<FindingsTable>): Finding {
  return {
    id: row.id,
    deviceId: row.device_id,
    code: row.code,
    subject: row.subject,
    before: row.value_before,
    after: row.value_after,
    severity: row.severity,
    state: row.state,
    openedAt: row.opened_at,
    lastSeenAt: row.last_seen_at,
    resolvedAt: row.resolved_at,
    evidenceHash: row.evidence_hash,
  }
}

export type FindingsRepository = ReturnType<typeof findingsRepository>

export function findingsRepository(db: Executor) {
  return {
    /** Everything that is not resolved, `recovered` findings included; oldest first. */
    async openOf(deviceId: number): Promise<readonly Finding[]> {
      const rows = await db
        .selectFrom('findings')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('state', '<>', 'resolved')
        .orderBy('id')
        .execute()
      return rows.map(toFinding)
    },

    /** As `openOf`, and what was resolved at or after `time`. */
    async unresolvedSince(deviceId: number, time: number): Promise<readonly Finding[]> {
      const rows = await db
        .selectFrom('findings')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where((or) => or.or([or('state', '<>', 'resolved'), or('resolved_at', '>=', time)]))
        .orderBy('id')
        .execute()
      return rows.map(toFinding)
    },

    /** Error: request.conflict when the device has an unresolved finding of this code and subject. */
    async insert(finding: Finding): Promise<void> {
      await db
        .insertInto('findings')
        .values({
          id: finding.id,
          device_id: finding.deviceId,
          code: finding.code,
          subject: finding.subject,
          value_before: finding.before,
          value_after: finding.after,
          severity: finding.severity,
          state: finding.state,
          opened_at: finding.openedAt,
          last_seen_at: finding.lastSeenAt,
          resolved_at: finding.resolvedAt,
          evidence_hash: finding.evidenceHash,
        })
        .execute()
    },

    /** Seen again: when, and what is there now. */
    async touch(id: string, lastSeenAt: number, after: string | null): Promise<void> {
      await db
        .updateTable('findings')
        .set({ last_seen_at: lastSeenAt, value_after: after })
        .where('id', '=', id)
        .execute()
    },

    /** `now` becomes the time of its resolution. */
    async setState(id: string, state: FindingState, now: number): Promise<void> {
      await db
        .updateTable('findings')
        .set({ state, resolved_at: state === 'resolved' ? now : null })
        .where('id', '=', id)
        .execute()
    },

    /** How many findings of each of these devices are not resolved. Devices without any are absent. */
    async unresolvedCounts(deviceIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
      if (deviceIds.length === 0) return new Map()
      const rows = await db
        .selectFrom('findings')
        .select((select) => ['device_id', select.fn.countAll().as('count')])
        .where('device_id', 'in', deviceIds)
        .where('state', '<>', 'resolved')
        .groupBy('device_id')
        .execute()
      return new Map(rows.map((row) => [row.device_id, Number(row.count)]))
    },

    /** Newest first, each with its device. */
    async list(page: PageRequest, filter: FindingFilter = {}): Promise<Page<FindingOfDevice>> {
      const cursor = idCursor(page)
      let query = db
        .selectFrom('findings')
        .innerJoin('devices', 'devices.id', 'findings.device_id')
        .selectAll('findings')
        .select(['devices.ueid', 'devices.product_id'])
        .orderBy('findings.id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('findings.id', '<', cursor)
      if (filter.state !== undefined) query = query.where('findings.state', 'in', [filter.state].flat())
      if (filter.code !== undefined) query = query.where('findings.code', '=', filter.code)
      if (filter.productId !== undefined) query = query.where('devices.product_id', '=', filter.productId)
      if (filter.caseId !== undefined) {
        const gathered = db.selectFrom('case_findings').select('finding_id').where('case_id', '=', filter.caseId)
        query = query.where('findings.id', 'in', gathered)
      }
      if (filter.deviceUeid !== undefined) query = query.where('devices.ueid', '=', filter.deviceUeid)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row) => ({
          finding: toFinding(row),
          ueid: row.ueid,
          productId: row.product_id,
        }),
      )
    },
  }
}
