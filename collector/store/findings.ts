import type { FindingCode } from '../../shared/codes/findings.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { UNRESOLVED, type Acknowledgement, type Finding, type FindingState } from '../model/finding.ts'
import type { Executor } from './database.ts'
import { withLabel } from './device-labels.ts'
import { acknowledgementColumns, findingColumns, hysteresisColumns, toFinding } from './finding-rows.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

export interface FindingFilter {
  readonly state?: FindingState | readonly FindingState[] | undefined
  readonly deviceUeid?: Ueid | undefined
  readonly productId?: string | undefined
  readonly code?: FindingCode | undefined
  readonly subject?: string | undefined
  /** On devices that have all of these labels, each a key and a value. */
  readonly labels?: readonly (readonly [string, string])[] | undefined
  /** Gathered in this case. */
  readonly caseId?: string | undefined
}

export interface FindingOfDevice {
  readonly finding: Finding
  readonly ueid: Ueid
  readonly productId: string
}

export type FindingsRepository = ReturnType<typeof findingsRepository>

/** One row for each cause on each device, however often it comes; ./finding-transitions.ts has its history. */
export function findingsRepository(db: Executor) {
  const all = () =>
    db
      .selectFrom('findings')
      .innerJoin('devices', 'devices.id', 'findings.device_id')
      .leftJoin('finding_policies', (join) =>
        join
          .onRef('finding_policies.product_id', '=', 'devices.product_id')
          .onRef('finding_policies.code', '=', 'findings.code'),
      )
      .selectAll('findings')
      .select(['finding_policies.severity as product_severity', 'devices.ueid', 'devices.product_id'])

  const filtered = ({ state, code, subject, productId, caseId, deviceUeid, labels = [] }: FindingFilter) => {
    let query = all()
    if (state !== undefined) query = query.where('findings.state', 'in', [state].flat())
    if (code !== undefined) query = query.where('findings.code', '=', code)
    if (subject !== undefined) query = query.where('findings.subject', '=', subject)
    if (productId !== undefined) query = query.where('devices.product_id', '=', productId)
    if (caseId !== undefined) {
      const gathered = db.selectFrom('case_findings').select('finding_id').where('case_id', '=', caseId)
      query = query.where('findings.id', 'in', gathered)
    }
    if (deviceUeid !== undefined) query = query.where('devices.ueid', '=', deviceUeid)
    for (const [key, value] of labels) query = query.where('findings.device_id', 'in', withLabel(db, key, value))
    return query
  }

  return {
    /** How many of devices that run this release are critical and not resolved. */
    async criticalOf(releaseId: string): Promise<number> {
      const rows = await all()
        .innerJoin('device_states', 'device_states.device_id', 'findings.device_id')
        .select('findings.id')
        .where('device_states.release_id', '=', releaseId)
        .where('findings.state', '<>', 'resolved')
        .where(({ eb, fn }) => eb(fn.coalesce('finding_policies.severity', 'findings.severity'), '=', 'critical'))
        .limit(1000)
        .execute()
      return rows.length
    },

    /** Everything that somebody has to know of, `recovered` findings included; oldest first. */
    async openOf(deviceId: number): Promise<readonly Finding[]> {
      const query = all().where('findings.device_id', '=', deviceId).where('findings.state', 'in', UNRESOLVED)
      return (await query.orderBy('findings.id').execute()).map(toFinding)
    },

    /** As `openOf`, and what is only suspected: everything that the next report bears on. */
    async trackedOf(deviceId: number): Promise<readonly Finding[]> {
      const query = all().where('findings.device_id', '=', deviceId).where('findings.state', '<>', 'resolved')
      return (await query.orderBy('findings.id').execute()).map(toFinding)
    },

    /** As `trackedOf`, and what was resolved at or after `time`. */
    async unresolvedSince(deviceId: number, time: number): Promise<readonly Finding[]> {
      const rows = await all()
        .where('findings.device_id', '=', deviceId)
        .where((or) => or.or([or('findings.state', '<>', 'resolved'), or('findings.resolved_at', '>=', time)]))
        .orderBy('findings.id')
        .execute()
      return rows.map(toFinding)
    },

    async byId(id: string): Promise<FindingOfDevice | undefined> {
      const row = await all().where('findings.id', '=', id).executeTakeFirst()
      return row && { finding: toFinding(row), ueid: row.ueid, productId: row.product_id }
    },

    /** The newest finding of this cause on this device, whatever its state. */
    async ofCause(deviceId: number, code: FindingCode, subject: string): Promise<Finding | undefined> {
      const row = await all()
        .where('findings.device_id', '=', deviceId)
        .where('findings.code', '=', code)
        .where('findings.subject', '=', subject)
        .orderBy('findings.id', 'desc')
        .executeTakeFirst()
      return row && toFinding(row)
    },

    /**
     * The severity has to be that of the code: what the product says comes with reading.
     * Error: request.conflict when the device has an unresolved finding of this code and subject.
     */
    async insert(finding: Finding): Promise<void> {
      await db.insertInto('findings').values(findingColumns(finding)).execute()
    },

    /** Everything but what it is about. */
    async save(finding: Finding): Promise<void> {
      const { id: _, device_id: __, code: ___, subject: ____, severity: _____, ...columns } = findingColumns(finding)
      await db.updateTable('findings').set(columns).where('id', '=', finding.id).execute()
    },

    /** Of one that never was more than suspected. */
    async remove(id: string): Promise<void> {
      await db.deleteFrom('findings').where('id', '=', id).execute()
    },

    /** Seen again: when, and what is there now. An acknowledgement was of what was there before. */
    async touch(
      finding: Pick<Finding, 'id' | 'after' | 'acknowledgement'>,
      { at, after, hysteresis }: Pick<Finding, 'after' | 'hysteresis'> & { readonly at: number },
    ): Promise<void> {
      const ended = after === finding.after || finding.acknowledgement === null ? {} : acknowledgementColumns(null)
      await db
        .updateTable('findings')
        .set({ last_seen_at: at, value_after: after, ...hysteresisColumns(hysteresis), ...ended })
        .where('id', '=', finding.id)
        .execute()
    },

    async setHysteresis(id: string, hysteresis: Finding['hysteresis']): Promise<void> {
      await db.updateTable('findings').set(hysteresisColumns(hysteresis)).where('id', '=', id).execute()
    },

    async setAcknowledgement(id: string, acknowledgement: Acknowledgement | null): Promise<void> {
      await db.updateTable('findings').set(acknowledgementColumns(acknowledgement)).where('id', '=', id).execute()
    },

    /** `now` becomes the time of its resolution, which ends an acknowledgement. */
    async setState(id: string, state: FindingState, now: number): Promise<void> {
      const isOver = state === 'resolved'
      await db
        .updateTable('findings')
        .set({ state, resolved_at: isOver ? now : null, ...(isOver ? acknowledgementColumns(null) : {}) })
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
        .where('state', 'in', UNRESOLVED)
        .groupBy('device_id')
        .execute()
      return new Map(rows.map((row) => [row.device_id, Number(row.count)]))
    },

    /** Each with its device; what was made last comes first. */
    async list(page: PageRequest, filter: FindingFilter = {}): Promise<Page<FindingOfDevice>> {
      const cursor = idCursor(page)
      let query = filtered(filter).orderBy('findings.id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('findings.id', '<', cursor)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row) => ({ finding: toFinding(row), ueid: row.ueid, productId: row.product_id }),
      )
    },

    /** All of them at once, oldest first, at most `limit`. */
    async select(filter: FindingFilter, limit: number): Promise<readonly FindingOfDevice[]> {
      const rows = await filtered(filter).orderBy('findings.id').limit(limit).execute()
      return rows.map((row) => ({ finding: toFinding(row), ueid: row.ueid, productId: row.product_id }))
    },
  }
}
