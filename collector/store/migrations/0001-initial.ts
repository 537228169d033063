import { sql } from 'kysely'
import type { Executor } from '../database.ts'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

export const initial: Migration = {
  version: 1,
  name: '0001-initial',
  apply: async (db, types) => {
    for (const statement of [...tables(types), ...indexes]) await execute(db, statement)
  },
}

async function execute(db: Executor, statement: string): Promise<void> {
  await sql.raw(statement).execute(db)
}

/** `columns`: one `name type` a line, NOT NULL unless the type ends in `?`; further constraints after them. */
function table(
  types: ColumnTypes,
  name: string,
  columns: readonly string[],
  constraints: readonly string[] = [],
): string {
  const definitions = columns.map((column) => {
    const [columnName = '', type = '', ...rest] = column.split(' ')
    const kind = type.replace('?', '') as Exclude<keyof ColumnTypes, 'roomForUpdates'>
    const nullable = type.endsWith('?') || kind === 'generatedId' ? [] : ['not null']
    return [columnName, types[kind], ...nullable, ...rest].join(' ')
  })
  return `create table ${name} (${[...definitions, ...constraints].join(', ')}) ${types.tableOptions}`
}

function tables(types: ColumnTypes): readonly string[] {
  const define = (name: string, columns: readonly string[], constraints?: readonly string[]): string =>
    table(types, name, columns, constraints)
  return [
    define(
      'products',
      [
        'id text primary key',
        'vendor text',
        'model text',
        'identity_policy text',
        'approval_policy text',
        'created_at integer',
      ],
      ['unique (vendor, model)'],
    ),
    define(
      'certificates',
      [
        'id text primary key',
        'product_id text references products',
        'number text',
        'profile_uri text',
        'valid_until integer',
        'created_at integer',
      ],
      ['unique (product_id, number)'],
    ),
    define('enrolment_tokens', [
      'id text primary key',
      'token_hash bytes unique',
      'product_id text references products',
      'reenrol_ueid text?',
      'expires_at integer',
      'reserved_until integer?',
      'reserved_by bytes?',
      'used_at integer?',
      'used_by_ueid text?',
      'created_at integer',
    ]),
    define('pending_enrolments', [
      'id text primary key',
      'token_id text references enrolment_tokens',
      'challenge bytes',
      'secret_hash bytes?',
      'request text',
      'identity text',
      'expires_at integer',
    ]),
    define('api_tokens', [
      'id text primary key',
      'name text',
      'token_hash bytes unique',
      'role text',
      'created_at integer',
      'expires_at integer?',
      'revoked_at integer?',
    ]),
    define('devices', [
      'id generatedId',
      'ueid text unique',
      'product_id text references products',
      'vendor text',
      'model text',
      'hardware_revision text',
      'serial text',
      'enrolment text',
      'identity text',
      'device_key bytes',
      'device_key_thumbprint bytes unique',
      'tls_key_hash bytes',
      'certificate_not_after integer',
      'ek_name bytes? unique',
      'ek_certificate bytes?',
      'ak_public bytes?',
      'ak_name bytes?',
      'enrolled_at integer',
      'revoked_at integer?',
    ]),
    define('device_states', [
      'device_id integer primary key references devices',
      'verdict text',
      'verdict_code text?',
      'latch text',
      'boot_coverage text',
      'last_received_at integer?',
      'last_fresh_at integer?',
      'last_fresh_epoch integer?',
      'fresh_session bytes?',
      'fresh_sequence integer?',
      'posture_digest bytes?',
      'pcr_digest bytes?',
      'tpm_clock_ms text?',
      'tpm_reset_count integer?',
      'tpm_restart_count integer?',
      'tpm_observed_at integer?',
      'boot_seed bytes?',
      'named_receipt integer',
      'last_receipt_number integer',
      'agent_version text?',
    ]),
    define(
      'sessions',
      [
        'device_id integer references devices',
        'session bytes',
        'contiguous_to integer',
        'extra text',
        'first_seen_at integer',
        'first_epoch integer?',
        'last_epoch integer?',
      ],
      ['primary key (device_id, session)'],
    ),
    define(
      'evidence',
      [
        'id generatedId',
        'device_id integer references devices',
        'session bytes',
        'seq integer',
        'hash bytes',
        'previous bytes?',
        'epoch integer?',
        'received_at integer',
        'fresh integer',
        'outcome text?',
        'verdict text',
        'posture_digest bytes',
        'pcr_digest bytes?',
        'bytes bytes',
      ],
      ['unique (device_id, session, seq)', 'unique (device_id, hash)'],
    ),
    define('refusals', [
      'id generatedId',
      'ueid text?',
      'topic text',
      'code text',
      'hash bytes',
      'received_at integer',
      'bytes bytes',
    ]),
    define('refusal_counts', ['ueid text', 'code text', 'total integer'], ['primary key (ueid, code)']),
    define('epochs', ['number integer primary key', 'nonce bytes unique', 'issued_at integer']),
    define(
      'receipts',
      ['device_id integer references devices', 'number integer', 'hash bytes', 'issued_at integer'],
      ['primary key (device_id, number)'],
    ),
    define('postures', ['vendor text', 'digest bytes', 'sections text'], ['primary key (vendor, digest)']),
    define('pcr_sets', ['vendor text', 'digest bytes', 'pcr_values bytes'], ['primary key (vendor, digest)']),
    define('sections', ['vendor text', 'digest bytes', 'content bytes'], ['primary key (vendor, digest)']),
    define(
      'section_chunks',
      [
        'vendor text',
        'digest bytes',
        'chunk_index integer',
        'chunk_count integer',
        'size integer',
        'encoding text',
        'bytes bytes',
        'device_id integer references devices',
      ],
      ['primary key (vendor, digest, device_id, chunk_index)'],
    ),
    define('reference_values', [
      'id text primary key',
      'product_id text references products',
      'device_id integer? references devices',
      'review text',
      'posture_digest bytes',
      'pcr_digest bytes?',
      'created_at integer',
      'created_by text',
    ]),
    define('findings', [
      'id text primary key',
      'device_id integer references devices',
      'code text',
      'subject text',
      'value_before text?',
      'value_after text?',
      'severity text',
      'state text',
      'opened_at integer',
      'last_seen_at integer',
      'resolved_at integer?',
      'evidence_hash bytes',
    ]),
    define('reassessment_cases', [
      'id text primary key',
      'product_id text references products',
      'certificate_id text references certificates',
      'cause text',
      'trigger_id text',
      'state text',
      'opened_at integer',
      'triage_by integer',
    ]),
    define(
      'case_findings',
      ['case_id text references reassessment_cases', 'finding_id text references findings'],
      ['primary key (case_id, finding_id)'],
    ),
    define('audit_log', ['id generatedId', 'at integer', 'actor text', 'action text', 'subject text', 'detail text']),
  ]
}

const indexes: readonly string[] = [
  'create index devices_by_product on devices (product_id, id)',
  'create index evidence_by_epoch on evidence (device_id, epoch) where fresh = 1',
  'create index refusals_by_ueid on refusals (ueid, id)',
  'create index epochs_by_time on epochs (issued_at)',
  'create index receipts_by_hash on receipts (device_id, hash)',
  'create index section_chunks_by_device on section_chunks (device_id)',
  'create index reference_values_by_product on reference_values (product_id, id)',
  'create index findings_by_device on findings (device_id, id)',
  // One deviation is one finding, and one cause one case, until somebody has closed it.
  "create unique index findings_unresolved on findings (device_id, code, subject) where state <> 'resolved'",
  "create unique index cases_unclosed on reassessment_cases (product_id, certificate_id, cause) where state <> 'closed'",
]
