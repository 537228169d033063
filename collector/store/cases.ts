import type { FindingCode } from '../../shared/codes/findings.ts'
import type { CaseState, ReassessmentCase } from '../model/finding.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const columns = [
  'id',
  'product_id as productId',
  'certificate_id as certificateId',
  'cause',
  'trigger_id as trigger',
  'state',
  'opened_at as openedAt',
  'triage_by as triageBy',
] as const

export interface CaseFilter {
  readonly state?: CaseState | readonly CaseState[] | undefined
  readonly productId?: string | undefined
}

export interface CaseWithFindings {
  readonly case: ReassessmentCase
  readonly findingIds: readonly string[]
}

export type CasesRepository = ReturnType<typeof casesRepository>

export function casesRepository(db: Executor) {
  return {
    /** The case of this cause that nobody has closed. */
    async openFor(productId: string, certificateId: string, cause: FindingCode): Promise<ReassessmentCase | undefined> {
      return db
        .selectFrom('reassessment_cases')
        .select(columns)
        .where('product_id', '=', productId)
        .where('certificate_id', '=', certificateId)
        .where('cause', '=', cause)
        .where('state', '<>', 'closed')
        .executeTakeFirst()
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

    /** Error: request.conflict when an unclosed case of this product, certificate and cause exists. */
    async insert(record: ReassessmentCase): Promise<void> {
      await db
        .insertInto('reassessment_cases')
        .values({
          id: record.id,
          product_id: record.productId,
          certificate_id: record.certificateId,
          cause: record.cause,
          trigger_id: record.trigger,
          state: record.state,
          opened_at: record.openedAt,
          triage_by: record.triageBy,
        })
        .execute()
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
      let query = db.selectFrom('reassessment_cases').select(columns).orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      if (filter.state !== undefined) query = query.where('state', 'in', [filter.state].flat())
      if (filter.productId !== undefined) query = query.where('product_id', '=', filter.productId)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row): ReassessmentCase => row,
      )
    },

    async byId(id: string): Promise<CaseWithFindings | undefined> {
      const found = await db.selectFrom('reassessment_cases').select(columns).where('id', '=', id).executeTakeFirst()
      if (found === undefined) return undefined
      const rows = await db
        .selectFrom('case_findings')
        .select('finding_id')
        .where('case_id', '=', id)
        .orderBy('finding_id')
        .execute()
      return { case: found, findingIds: rows.map((row) => row.finding_id) }
    },
  }
}
