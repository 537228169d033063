import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** A finding keeps its history, waits where it is measured, is acknowledged by people and judged by its product. */
export const findingHistory: Migration = {
  version: 12,
  name: '0012-findings',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, generatedId, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  ...[
    `first_opened_at ${integer}`,
    `openings ${integer} not null default 1`,
    `hysteresis_recent ${text}`,
    `hysteresis_good ${integer}`,
    `hysteresis_at ${integer}`,
    `acknowledged_by ${text}`,
    `acknowledged_at ${integer}`,
    `acknowledged_until ${integer}`,
    `acknowledgement_reason ${text}`,
  ].map((column) => `alter table findings add column ${column}`),
  `create table finding_transitions (
    id ${generatedId},
    finding_id ${text} not null references findings on delete cascade,
    at ${integer} not null,
    state ${text} not null,
    cause ${text} not null,
    actor ${text},
    value_before ${text},
    value_after ${text},
    evidence_hash ${bytes}
  ) ${tableOptions}`,
  'create index finding_transitions_by_finding on finding_transitions (finding_id, id)',
  `create table finding_policies (
    product_id ${text} not null references products,
    code ${text} not null,
    severity ${text},
    hysteresis_count ${integer},
    hysteresis_of ${integer},
    hysteresis_spacing_ms ${integer},
    set_by ${text} not null,
    set_at ${integer} not null,
    primary key (product_id, code)
  ) ${tableOptions}`,
]
