import { sql } from 'kysely'
import { hash } from '../../../shared/crypto/node.ts'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import { factsDigest } from '../../../shared/decisions/cases/facts.ts'
import { causeOf, type CaseCause } from '../../../shared/maturity/causes.ts'
import type { Executor } from '../database.ts'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What a case is about, as facts with their digest; what of its cause; and which deadlines people were told of. */
export const cases: Migration = {
  version: 18,
  name: '0018-cases',
  apply: async (db, types) => {
    for (const statement of columns(types)) await sql.raw(statement).execute(db)
    await giveFacts(db)
    for (const statement of tables(types)) await sql.raw(statement).execute(db)
  },
}

const columns = ({ bytes, integer, text }: ColumnTypes): readonly string[] =>
  [
    `release_id ${text} not null default ''`,
    `subject ${text} not null default ''`,
    `is_once ${integer} not null default 0`,
    `severity ${text} not null default 'high'`,
    `detected_at ${integer} not null default 0`,
    `facts ${text} not null default '{}'`,
    `facts_digest ${bytes}`,
  ].map((column) => `alter table reassessment_cases add column ${column}`)

const FINAL = "state not in ('dismissed', 'closed', 'ended')"
const KEY = 'product_id, certificate_id, release_id, cause, subject'

const tables = ({ integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  'drop index cases_unclosed',
  `create unique index cases_unclosed on reassessment_cases (${KEY}) where ${FINAL}`,
  `create unique index cases_once on reassessment_cases (${KEY}) where is_once = 1`,
  `create table case_reminders (
    case_id ${text} not null references reassessment_cases,
    deadline ${text} not null,
    due ${integer} not null,
    told_at ${integer} not null,
    primary key (case_id, deadline, due)
  ) ${tableOptions}`,
]

/** Cases that were opened before get what was known of them as their facts. Nobody has decided about one yet. */
async function giveFacts(db: Executor): Promise<void> {
  const known = ['id', 'product_id', 'certificate_id', 'cause', 'trigger_id', 'opened_at'] as const
  for (const row of await db.selectFrom('reassessment_cases').select(known).execute()) {
    const facts = {
      case: row.id,
      trigger: row.trigger_id,
      cause: row.cause,
      product: row.product_id,
      certificate: row.certificate_id,
      openedAt: Math.floor(Number(row.opened_at) / 1000),
      origin: 'software',
    }
    await db
      .updateTable('reassessment_cases')
      .set({
        severity: causeOf(row.cause as CaseCause).severity,
        detected_at: row.opened_at,
        facts: JSON.stringify(facts),
        facts_digest: fromHex(factsDigest(facts, hash)),
      })
      .where('id', '=', row.id)
      .execute()
  }
}
