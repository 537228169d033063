import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import { KeepsealError } from '../../../shared/errors.ts'
import { columnTypesOf, transaction, type Executor } from '../database.ts'
import type { ColumnTypes } from '../dialect.ts'
import type { Database } from '../schema.ts'
import { initial } from './0001-initial.ts'
import { bootReferences } from './0002-boot-references.ts'
import { ima } from './0003-ima.ts'
import { notifications } from './0004-notifications.ts'
import { decisions } from './0005-decisions.ts'
import { history } from './0006-history.ts'
import { releases } from './0007-releases.ts'
import { vendorScopes } from './0008-vendor-scopes.ts'
import { practices } from './0009-practices.ts'
import { quarantine } from './0010-quarantine.ts'
import { certificatesInLog } from './0011-certificates-in-log.ts'
import { findingHistory } from './0012-findings.ts'
import { accounts } from './0013-accounts.ts'
import { liveness } from './0014-liveness.ts'
import { serials } from './0015-serials.ts'
import { profileDocuments } from './0016-profile-documents.ts'
import { exceptionsAndGroups } from './0017-exceptions-and-groups.ts'
import { cases } from './0018-cases.ts'
import { reminders } from './0019-reminders.ts'
import { restorePoints } from './0020-restore-points.ts'
import { conditions } from './0021-conditions.ts'
import { mirror } from './0022-mirror.ts'
import { signedResults } from './0023-signed-results.ts'
import { passkeys } from './0024-passkeys.ts'
import { newestResults } from './0025-newest-results.ts'
import { standingCauses } from './0026-standing-causes.ts'
import { oidc } from './0027-oidc.ts'
import { advisories } from './0028-advisories.ts'
import { gatheredEvents } from './0029-gathered-events.ts'
import { attestationChallenges } from './0030-attestation-challenges.ts'
import { advisoryFetches } from './0031-advisory-fetches.ts'
import { releaseSboms } from './0032-release-sboms.ts'
import { steadyMarks } from './0033-steady-marks.ts'
import { advisoryBundles } from './0034-advisory-bundles.ts'
import { registrations } from './0035-registrations.ts'
import { evidenceMessages } from './0036-evidence-messages.ts'
import { productStatements } from './0037-product-statements.ts'
import { reportIntervals } from './0038-report-intervals.ts'
import { deviceCounts } from './0039-device-counts.ts'
import { wrongRecords } from './0040-wrong-records.ts'
import { configurationsAnew } from './0041-configurations-anew.ts'
import { bundleSigners } from './0042-bundle-signers.ts'

export interface Migration {
  /** Without gaps from 1. A released migration is never changed: a mistake in it is mended by the next one. */
  readonly version: number
  readonly name: string
  readonly apply: (db: Executor, types: ColumnTypes) => Promise<void>
}

export const migrations: readonly Migration[] = [
  initial,
  bootReferences,
  ima,
  notifications,
  decisions,
  history,
  releases,
  vendorScopes,
  practices,
  quarantine,
  certificatesInLog,
  findingHistory,
  accounts,
  liveness,
  serials,
  profileDocuments,
  exceptionsAndGroups,
  cases,
  reminders,
  restorePoints,
  conditions,
  mirror,
  signedResults,
  passkeys,
  newestResults,
  standingCauses,
  oidc,
  advisories,
  gatheredEvents,
  attestationChallenges,
  advisoryFetches,
  releaseSboms,
  steadyMarks,
  advisoryBundles,
  registrations,
  evidenceMessages,
  productStatements,
  reportIntervals,
  deviceCounts,
  wrongRecords,
  configurationsAnew,
  bundleSigners,
]

/**
 * Applies what is missing, each step in its own transaction, forward only. Returns the names of the applied steps.
 * Errors: state.schema-newer when the database knows steps that this program does not.
 */
export async function migrate(
  db: Kysely<Database>,
  list: readonly Migration[] = migrations,
): Promise<readonly string[]> {
  const types = columnTypesOf(db)
  await transaction(db, (trx) =>
    sql
      .raw(
        `create table if not exists schema_migrations (version ${types.integer} not null primary key, name ${types.text} not null) ${types.tableOptions}`,
      )
      .execute(trx),
  )
  const applied: string[] = []
  for (const migration of list) {
    const ran = await transaction(db, (trx) => applyOnce(trx, migration, list, types))
    if (ran) applied.push(migration.name)
  }
  return applied
}

/** What `migrate` would apply. Changes nothing. Error: state.schema-newer. */
export async function pendingMigrations(db: Executor): Promise<readonly string[]> {
  const tables = await db.introspection.getTables()
  const isNew = !tables.some(({ name }) => name === 'schema_migrations')
  const version = isNew ? 0 : await schemaVersion(db, migrations)
  return migrations.filter((migration) => migration.version > version).map(({ name }) => name)
}

/** The version is read inside the transaction: two processes that start together must not both apply a step. */
async function applyOnce(
  db: Executor,
  migration: Migration,
  list: readonly Migration[],
  types: ColumnTypes,
): Promise<boolean> {
  if ((await schemaVersion(db, list)) >= migration.version) return false
  await migration.apply(db, types)
  await db.insertInto('schema_migrations').values({ version: migration.version, name: migration.name }).execute()
  return true
}

async function schemaVersion(db: Executor, list: readonly Migration[]): Promise<number> {
  const { version } = await db
    .selectFrom('schema_migrations')
    .select(({ fn }) => fn.coalesce(fn.max('version'), sql<number>`0`).as('version'))
    .executeTakeFirstOrThrow()
  const known = list.at(-1)?.version ?? 0
  if (version > known) throw new KeepsealError('state.schema-newer', `schema ${version}, known ${known}`)
  return version
}
