import { sql } from 'kysely'
import type { FindingException } from '../model/exception.ts'
import { subjectPattern, subjectText } from '../model/exception.ts'
import { UNRESOLVED } from '../model/finding.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

export interface ExceptionFilter {
  readonly productId?: string | undefined
  /** Those that act at this time. */
  readonly activeAt?: number | undefined
}

const columnOf = <T>(name: string) => sql<T>`${sql.ref(name)}`

/**
 * The exceptions that suppress the finding of the row at hand at `now`: the query that it stands in reads `findings`
 * and `devices`. One probe of an index into a small table for each finding.
 */
export function exceptionsOver(db: Executor, now: number) {
  return db
    .selectFrom('finding_exceptions')
    .where('finding_exceptions.product_id', '=', columnOf<string>('devices.product_id'))
    .where('finding_exceptions.code', '=', columnOf<never>('findings.code'))
    .where('finding_exceptions.expires_at', '>', now)
    .where('finding_exceptions.ended_at', 'is', null)
    .where(({ or, eb }) =>
      or([
        eb('finding_exceptions.device_id', 'is', null),
        eb('finding_exceptions.device_id', '=', columnOf<number>('findings.device_id')),
      ]),
    )
    .where(matchesSubject)
    .where(({ or, eb, not, exists, selectFrom }) =>
      or([
        eb('finding_exceptions.group_id', 'is', null),
        // In the group is what has each of its labels: none of them is missing.
        not(
          exists(
            selectFrom('group_labels')
              .leftJoin('device_labels', (join) =>
                join
                  .onRef('device_labels.key', '=', 'group_labels.key')
                  .onRef('device_labels.value', '=', 'group_labels.value')
                  .on('device_labels.device_id', '=', columnOf<number>('findings.device_id')),
              )
              .select('group_labels.key')
              .whereRef('group_labels.group_id', '=', 'finding_exceptions.group_id')
              .where('device_labels.device_id', 'is', null),
          ),
        ),
      ]),
    )
}

const subject = columnOf<string>('findings.subject')
const start = columnOf<string>('finding_exceptions.subject_start')
const end = columnOf<string>('finding_exceptions.subject_end')
/** No LIKE: it takes no notice of case on one database, and does on the other. */
const matchesSubject = sql<boolean>`(${subject} = ${start} and ${end} is null or ${end} is not null
  and length(${subject}) >= length(${start}) + length(${end}) and substr(${subject}, 1, length(${start})) = ${start}
  and substr(${subject}, length(${subject}) - length(${end}) + 1) = ${end})`

export type FindingExceptionsRepository = ReturnType<typeof findingExceptionsRepository>

export function findingExceptionsRepository(db: Executor) {
  const all = () =>
    db
      .selectFrom('finding_exceptions')
      .leftJoin('devices', 'devices.id', 'finding_exceptions.device_id')
      .selectAll('finding_exceptions')
      .select('devices.ueid')
  type Row = Awaited<ReturnType<ReturnType<typeof all>['execute']>>[number]
  const toException = (row: Row): FindingException => ({
    id: row.id,
    productId: row.product_id,
    deviceUeid: row.ueid,
    groupId: row.group_id,
    code: row.code,
    subject: subjectText({ start: row.subject_start, end: row.subject_end }),
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    endedBy: row.ended_by,
    endedAt: row.ended_at,
  })
  const suppressed = (now: number) =>
    db
      .selectFrom('findings')
      .innerJoin('devices', 'devices.id', 'findings.device_id')
      .where('findings.state', 'in', UNRESOLVED)
      .where(({ exists }) => exists(exceptionsOver(db, now).select('finding_exceptions.id')))

  return {
    /** `deviceId`: of its device, where it is for one. */
    async insert(exception: FindingException, deviceId: number | null): Promise<void> {
      const pattern = subjectPattern(exception.subject)
      if (pattern === undefined) throw new RangeError('exception: several *')
      await db
        .insertInto('finding_exceptions')
        .values({
          id: exception.id,
          product_id: exception.productId,
          device_id: deviceId,
          group_id: exception.groupId,
          code: exception.code,
          subject_start: pattern.start,
          subject_end: pattern.end,
          reason: exception.reason,
          created_by: exception.createdBy,
          created_at: exception.createdAt,
          expires_at: exception.expiresAt,
        })
        .execute()
    },

    async byId(id: string): Promise<FindingException | undefined> {
      const row = await all().where('finding_exceptions.id', '=', id).executeTakeFirst()
      return row && toException(row)
    },

    /** Newest first. */
    async list(page: PageRequest, { productId, activeAt }: ExceptionFilter = {}): Promise<Page<FindingException>> {
      const cursor = idCursor(page)
      let query = all().orderBy('finding_exceptions.id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('finding_exceptions.id', '<', cursor)
      if (productId !== undefined) query = query.where('finding_exceptions.product_id', '=', productId)
      if (activeAt !== undefined) {
        query = query.where('finding_exceptions.ended_at', 'is', null)
        query = query.where('finding_exceptions.expires_at', '>', activeAt)
      }
      return toPage(await query.execute(), page, (row) => row.id, toException)
    },

    async end(id: string, by: string, now: number): Promise<void> {
      await db.updateTable('finding_exceptions').set({ ended_by: by, ended_at: now }).where('id', '=', id).execute()
    },

    /** Which exception suppresses each of these findings now. Those that act are absent. */
    async overFindings(findingIds: readonly string[], now: number): Promise<ReadonlyMap<string, string>> {
      if (findingIds.length === 0) return new Map()
      const rows = await suppressed(now)
        .select([
          'findings.id',
          exceptionsOver(db, now)
            .select(({ fn }) => fn.min('finding_exceptions.id').as('id'))
            .as('by'),
        ])
        .where('findings.id', 'in', findingIds)
        .execute()
      return new Map(rows.flatMap(({ id, by }) => (by === null ? [] : [[id, by] as const])))
    },

    /** How many unresolved findings of each of these devices are suppressed. Devices without any are absent. */
    async suppressedCounts(deviceIds: readonly number[], now: number): Promise<ReadonlyMap<number, number>> {
      if (deviceIds.length === 0) return new Map()
      const rows = await suppressed(now)
        .select(({ fn }) => ['findings.device_id', fn.countAll().as('count')])
        .where('findings.device_id', 'in', deviceIds)
        .groupBy('findings.device_id')
        .execute()
      return new Map(rows.map((row) => [row.device_id, Number(row.count)]))
    },

    /** Of the whole collector. */
    async suppressedNow(now: number): Promise<{ readonly findings: number; readonly exceptions: number }> {
      const active = await db
        .selectFrom('finding_exceptions')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('expires_at', '>', now)
        .where('ended_at', 'is', null)
        .executeTakeFirstOrThrow()
      const exceptions = Number(active.count)
      if (exceptions === 0) return { findings: 0, exceptions }
      const found = await suppressed(now)
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
      return { findings: Number(found.count), exceptions }
    },

    /** Exceptions that are over, of which nobody has seen yet what they leave behind; oldest first. */
    async lapsed(now: number, limit: number): Promise<readonly FindingException[]> {
      const rows = await all()
        .where('finding_exceptions.lapsed_at', 'is', null)
        .where(({ or, eb }) =>
          or([eb('finding_exceptions.expires_at', '<=', now), eb('finding_exceptions.ended_at', 'is not', null)]),
        )
        .orderBy('finding_exceptions.id')
        .limit(limit)
        .execute()
      return rows.map(toException)
    },

    async setLapsed(id: string, now: number): Promise<void> {
      await db.updateTable('finding_exceptions').set({ lapsed_at: now }).where('id', '=', id).execute()
    },
  }
}
