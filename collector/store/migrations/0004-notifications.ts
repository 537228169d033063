import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What people are told of, and how far it has come. */
export const notifications: Migration = {
  version: 4,
  name: '0004-notifications',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ generatedId, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table notification_events (
    id ${generatedId},
    kind ${text} not null,
    at ${integer} not null,
    severity ${text} not null,
    product_id ${text},
    ueid ${text},
    code ${text},
    subject ${text} not null,
    body ${text} not null,
    is_dispatched ${integer} not null
  ) ${tableOptions}`,
  'create index notification_events_waiting on notification_events (id) where is_dispatched = 0',
  `create table notification_deliveries (
    id ${generatedId},
    channel ${text} not null,
    event_id ${integer} not null references notification_events,
    state ${text} not null,
    attempts ${integer} not null,
    first_attempt_at ${integer},
    next_attempt_at ${integer} not null,
    error ${text},
    sent_at ${integer},
    unique (channel, event_id)
  ) ${tableOptions}`,
  "create index notification_deliveries_due on notification_deliveries (channel, next_attempt_at) where state = 'pending'",
]
