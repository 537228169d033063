import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Evidence that people have asked single devices for. */
export const attestationChallenges: Migration = {
  version: 30,
  name: '0030-attestation-challenges',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table attestation_challenges (
    id ${text} not null primary key,
    device_id ${integer} not null references devices,
    number ${integer} not null,
    nonce ${bytes} not null unique,
    asked_by ${text} not null,
    asked_at ${integer} not null,
    expires_at ${integer} not null,
    superseded_at ${integer},
    tries ${integer} not null,
    sent_at ${integer},
    answered_at ${integer},
    evidence_hash ${bytes},
    fresh ${integer},
    verdict ${text},
    code ${text},
    unique (device_id, number)
  ) ${tableOptions}`,
  `create index attestation_challenges_waiting on attestation_challenges (device_id)
    where answered_at is null and superseded_at is null`,
]
