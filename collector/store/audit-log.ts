import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

/** What a person, or the collector on its own (`actor` = `collector`), did to what. */
export interface AuditEntry {
  readonly at: number
  readonly actor: string
  /** `device.approve`, `enrolment-token.create` ... */
  readonly action: string
  /** The id of what it was done to. */
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}

export type AuditLogRepository = ReturnType<typeof auditLogRepository>

/** Append-only: there is nothing here that changes or removes an entry. */
export function auditLogRepository(db: Executor) {
  return {
    async append(entry: AuditEntry): Promise<void> {
      await db
        .insertInto('audit_log')
        .values({ ...entry, detail: JSON.stringify(entry.detail) })
        .execute()
    },

    /** Whether this was done to it before. */
    async has({ action, subject }: Pick<AuditEntry, 'action' | 'subject'>): Promise<boolean> {
      const row = await db
        .selectFrom('audit_log')
        .select('id')
        .where('subject', '=', subject)
        .where('action', '=', action)
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },

    /** Newest first. */
    async list(page: PageRequest, filter: { readonly subject?: string | undefined } = {}): Promise<Page<AuditEntry>> {
      const cursor = integerCursor(page)
      let query = db.selectFrom('audit_log').selectAll().orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        ({ at, actor, action, subject, detail }) => ({
          at,
          actor,
          action,
          subject,
          detail: JSON.parse(detail) as Record<string, unknown>,
        }),
      )
    },
  }
}
