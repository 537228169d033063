import type { Selectable } from 'kysely'
import { fromHex } from '../../shared/bytes/bytes.ts'
import type { Severity } from '../../shared/codes/findings.ts'
import { hash } from '../../shared/crypto/node.ts'
import { FINAL_STATES, type CaseState } from '../../shared/decisions/cases/case.ts'
import { factsDigest } from '../../shared/decisions/cases/facts.ts'
import type { CaseFacts, CaseKey, ReassessmentCase } from '../model/case.ts'
import { UNRESOLVED } from '../model/finding.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { ReassessmentCasesTable } from './schema-cases.ts'

export interface CaseFilter {
  readonly state?: CaseState | readonly CaseState[] | undefined
  readonly productId?: string | undefined
}

export interface CaseWithFindings {
  readonly case: ReassessmentCase
  readonly findingIds: readonly string[]
}

const toCase = (row: Selectable<ReassessmentCasesTable>): ReassessmentCase => ({
  id: row.id,
  productId: row.product_id,
  certificateId: row.certificate_id,
  releaseId: row.release_id === '' ? null : row.release_id,
  cause: row.cause,
  subject: row.subject,
  trigger: row.trigger_id,
  isOnce: row.is_once === 1,
  severity: row.severity,
  state: row.state,
  openedAt: row.opened_at,
  detectedAt: row.detected_at,
  triageBy: row.triage_by,
  facts: JSON.parse(row.facts) as CaseFacts,
})

const toRow = (record: ReassessmentCase): ReassessmentCasesTable => ({
  id: record.id,
  product_id: record.productId,
  certificate_id: record.certificateId,
  release_id: record.releaseId ?? '',
  cause: record.cause,
  subject: record.subject,
  trigger_id: record.trigger,
  is_once: record.isOnce ? 1 : 0,
  severity: record.severity,
  state: record.state,
  opened_at: record.openedAt,
  detected_at: record.detectedAt,
  triage_by: record.triageBy,
  facts: JSON.stringify(record.facts),
  facts_digest: fromHex(factsDigest(record.facts, hash)),
})

export type CasesRepository = ReturnType<typeof casesRepository>

export function casesRepository(db: Executor) {
  return {
    /** The case of this key that is open, or that there is once for all. */
    async openFor({
      productId,
      certificateId,
      releaseId,
      cause,
      subject,
    }: CaseKey): Promise<ReassessmentCase | undefined> {
      const row = await db
        .selectFrom('reassessment_cases')
        .selectAll()
        .where('product_id', '=', productId)
        .where('certificate_id', '=', certificateId)
        .where('release_id', '=', releaseId ?? '')
        .where('cause', '=', cause)
        .where('subject', '=', subject)
        .where((or) => or.or([or('state', 'not in', FINAL_STATES), or('is_once', '=', 1)]))
        .executeTakeFirst()
      return row === undefined ? undefined : toCase(row)
    },

    /** Of one product: which cases there ever were, and since when. */
    async openedOf(productId: string): Promise<readonly Pick<ReassessmentCase, 'id' | 'openedAt'>[]> {
      return db
        .selectFrom('reassessment_cases')
        .select(['id', 'opened_at as openedAt'])
        .where('product_id', '=', productId)
        .orderBy('id')
        .execute()
    },

    /** False when there is one of this key already: another collector was quicker. */
    async insert(record: ReassessmentCase): Promise<boolean> {
      const inserted = await db
        .insertInto('reassessment_cases')
        .values(toRow(record))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return Number(inserted.numInsertedOrUpdatedRows ?? 0) === 1
    },

    /** As the decision log has it now. */
    async setState(id: string, state: CaseState): Promise<void> {
      await db.updateTable('reassessment_cases').set({ state }).where('id', '=', id).execute()
    },

    async setSeverity(id: string, severity: Severity): Promise<void> {
      await db.updateTable('reassessment_cases').set({ severity }).where('id', '=', id).execute()
    },

    /** Adding twice changes nothing. */
    async addFinding(caseId: string, findingId: string): Promise<void> {
      await db
        .insertInto('case_findings')
        .values({ case_id: caseId, finding_id: findingId })
        .onConflict((conflict) => conflict.columns(['case_id', 'finding_id']).doNothing())
        .execute()
    },

    /** Newest first. */
    async list(page: PageRequest, filter: CaseFilter = {}): Promise<Page<ReassessmentCase>> {
      const cursor = idCursor(page)
      let query = db.selectFrom('reassessment_cases').selectAll().orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      if (filter.state !== undefined) query = query.where('state', 'in', [filter.state].flat())
      if (filter.productId !== undefined) query = query.where('product_id', '=', filter.productId)
      return toPage(await query.execute(), page, (row) => row.id, toCase)
    },

    async byId(id: string): Promise<CaseWithFindings | undefined> {
      const found = await db.selectFrom('reassessment_cases').selectAll().where('id', '=', id).executeTakeFirst()
      if (found === undefined) return undefined
      const rows = await db
        .selectFrom('case_findings')
        .select('finding_id')
        .where('case_id', '=', id)
        .orderBy('finding_id')
        .execute()
      return { case: toCase(found), findingIds: rows.map((row) => row.finding_id) }
    },

    /** Devices with a finding of this case that is not resolved. */
    async affectedUnits(id: string): Promise<number> {
      const { count } = await db
        .selectFrom('case_findings')
        .innerJoin('findings', 'findings.id', 'case_findings.finding_id')
        .innerJoin('devices', 'devices.id', 'findings.device_id')
        .select(({ fn }) => fn.count('findings.device_id').distinct().as('count'))
        .where('case_findings.case_id', '=', id)
        .where('findings.state', 'in', UNRESOLVED)
        .where('devices.enrolment', '=', 'active')
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    /** True the first time that people are told of this deadline of a case. */
    async remindOnce(caseId: string, deadline: string, due: number, now: number): Promise<boolean> {
      const told = await db
        .insertInto('case_reminders')
        .values({ case_id: caseId, deadline, due, told_at: now })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return Number(told.numInsertedOrUpdatedRows ?? 0) === 1
    },
  }
}
