import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What people record, and what is watched about practices: samples, states and their changes. */
export const practices: Migration = {
  version: 9,
  name: '0009-practices',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ generatedId, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table recorded_events (
    id ${text} not null primary key,
    product_id ${text} not null references products,
    kind ${text} not null,
    detail ${text} not null,
    occurred_at ${integer} not null,
    recorded_at ${integer} not null,
    recorded_by ${text} not null,
    recorded_by_name ${text} not null,
    reference ${text} not null,
    corrects ${text} unique references recorded_events
  ) ${tableOptions}`,
  'create index recorded_events_by_product on recorded_events (product_id, occurred_at)',
  `create table product_units (
    product_id ${text} not null primary key references products,
    declared ${integer},
    retire_after_days ${integer} not null,
    set_at ${integer} not null,
    set_by ${text} not null
  ) ${tableOptions}`,
  `create table signal_samples (
    product_id ${text} not null references products,
    signal ${text} not null,
    sampled_day ${integer} not null,
    value ${integer},
    good ${integer} not null,
    known ${integer} not null,
    denominator ${integer} not null,
    detail ${text} not null,
    primary key (product_id, signal, sampled_day)
  ) ${tableOptions}`,
  `create table advisory_progress (
    product_id ${text} not null references products,
    advisory ${text} not null,
    fixed_day ${integer} not null,
    units ${integer} not null,
    primary key (product_id, advisory, fixed_day)
  ) ${tableOptions}`,
  `create table practice_evaluations (
    product_id ${text} not null primary key references products,
    slot ${integer} not null,
    evaluated_at ${integer} not null,
    fleet ${text} not null
  ) ${tableOptions}`,
  `create table practice_states (
    product_id ${text} not null references products,
    practice ${text} not null,
    status ${text} not null,
    since ${integer} not null,
    waiting ${text} not null,
    confirmed ${text},
    explanation ${text} not null,
    primary key (product_id, practice)
  ) ${tableOptions}`,
  `create table practice_transitions (
    id ${generatedId},
    product_id ${text} not null references products,
    practice ${text} not null,
    from_status ${text},
    to_status ${text} not null,
    changed_at ${integer} not null,
    explanation ${text} not null
  ) ${tableOptions}`,
  'create index practice_transitions_by_product on practice_transitions (product_id, practice, id)',
]
