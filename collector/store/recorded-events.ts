import type { Selectable } from 'kysely'
import type { RecordedEventKind, RecordedFact } from '../../shared/maturity/events/kinds.ts'
import type { RecordedEvent } from '../model/recorded-event.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { RecordedEventsTable } from './schema-practices.ts'

export interface RecordedEventFilter {
  readonly productId?: string | undefined
  readonly kind?: RecordedEventKind | undefined
}

function toEvent(row: Selectable<RecordedEventsTable>): RecordedEvent {
  const fact = { kind: row.kind, detail: JSON.parse(row.detail) as unknown } as RecordedFact
  return {
    ...fact,
    id: row.id,
    productId: row.product_id,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
    recordedBy: row.recorded_by,
    recordedByName: row.recorded_by_name,
    reference: row.reference,
    corrects: row.corrects,
  }
}

export type RecordedEventsRepository = ReturnType<typeof recordedEventsRepository>

/** What people recorded: added to, never changed. */
export function recordedEventsRepository(db: Executor) {
  return {
    /** Error: request.conflict when the event that it corrects was corrected already. */
    async add(event: RecordedEvent): Promise<void> {
      await db
        .insertInto('recorded_events')
        .values({
          id: event.id,
          product_id: event.productId,
          kind: event.kind,
          detail: JSON.stringify(event.detail),
          occurred_at: event.occurredAt,
          recorded_at: event.recordedAt,
          recorded_by: event.recordedBy,
          recorded_by_name: event.recordedByName,
          reference: event.reference,
          corrects: event.corrects,
        })
        .execute()
    },

    async byId(id: string): Promise<RecordedEvent | undefined> {
      const row = await db.selectFrom('recorded_events').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? undefined : toEvent(row)
    },

    /** Newest recorded first, each with the one that took its place. */
    async list(
      page: PageRequest,
      { productId, kind }: RecordedEventFilter = {},
    ): Promise<Page<{ readonly event: RecordedEvent; readonly correctedBy: string | null }>> {
      const cursor = idCursor(page)
      let query = db
        .selectFrom('recorded_events as event')
        .leftJoin('recorded_events as later', 'later.corrects', 'event.id')
        .selectAll('event')
        .select('later.id as corrected_by')
        .orderBy('event.id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('event.id', '<', cursor)
      if (productId !== undefined) query = query.where('event.product_id', '=', productId)
      if (kind !== undefined) query = query.where('event.kind', '=', kind)
      return toPage(
        await query.execute(),
        page,
        ({ id }) => id,
        (row) => ({ event: toEvent(row), correctedBy: row.corrected_by }),
      )
    },

    /** Everything that counts for a product: what was corrected does not. By when it happened. */
    async counting(productId: string): Promise<readonly RecordedEvent[]> {
      const rows = await db
        .selectFrom('recorded_events as event')
        .leftJoin('recorded_events as later', 'later.corrects', 'event.id')
        .selectAll('event')
        .where('event.product_id', '=', productId)
        .where('later.id', 'is', null)
        .orderBy('event.occurred_at')
        .orderBy('event.id')
        .execute()
      return rows.map(toEvent)
    },
  }
}
