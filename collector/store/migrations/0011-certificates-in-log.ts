import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/**
 * Certificates are those of the decision log. The unsigned record of them goes; what it said stays in the audit log, and
 * cases keep the id of the certificate that they were opened for.
 */
export const certificatesInLog: Migration = {
  version: 11,
  name: '0011-certificates-in-log',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

/** SQLite takes a reference away only with its table: both tables of the cases are made anew. */
const statements = ({ integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table cases_anew (
    id ${text} not null primary key,
    product_id ${text} not null references products,
    certificate_id ${text} not null,
    cause ${text} not null,
    trigger_id ${text} not null,
    state ${text} not null,
    opened_at ${integer} not null,
    triage_by ${integer} not null
  ) ${tableOptions}`,
  'insert into cases_anew select id, product_id, certificate_id, cause, trigger_id, state, opened_at, triage_by from reassessment_cases',
  `create table case_findings_anew (
    case_id ${text} not null references cases_anew,
    finding_id ${text} not null references findings,
    primary key (case_id, finding_id)
  ) ${tableOptions}`,
  'insert into case_findings_anew select case_id, finding_id from case_findings',
  'drop table case_findings',
  'drop table reassessment_cases',
  'alter table cases_anew rename to reassessment_cases',
  'alter table case_findings_anew rename to case_findings',
  'create index case_findings_by_finding on case_findings (finding_id)',
  "create unique index cases_unclosed on reassessment_cases (product_id, certificate_id, cause) where state <> 'closed'",
  'drop table certificates',
  // Whether a product is certified says the log too.
  'alter table products drop column certified',
]
