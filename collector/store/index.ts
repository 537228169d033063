import { apiTokensRepository } from './api-tokens.ts'
import { auditLogRepository } from './audit-log.ts'
import { casesRepository } from './cases.ts'
import { openDatabase, transaction, type Executor } from './database.ts'
import { decisionsRepository } from './decisions.ts'
import { devicesRepository } from './devices.ts'
import { enrolmentTokensRepository } from './enrolment-tokens.ts'
import { epochsRepository } from './epochs.ts'
import { evidenceRepository } from './evidence.ts'
import { findingsRepository } from './findings.ts'
import { imaPoliciesRepository } from './ima-policies.ts'
import { migrate } from './migrations/index.ts'
import { notificationsRepository } from './notifications.ts'
import { pendingEnrolmentsRepository } from './pending-enrolments.ts'
import { bootReferencesRepository, pcrSetsRepository, posturesRepository } from './postures.ts'
import { productsRepository } from './products.ts'
import { receiptsRepository } from './receipts.ts'
import { referencesRepository } from './references.ts'
import { refusalsRepository } from './refusals.ts'
import { sectionsRepository } from './sections.ts'
import { sessionsRepository } from './sessions.ts'
import { readSummary } from './summary.ts'

/** Everything that the collector remembers, and the only way to it. */
export interface Store extends Repositories {
  /**
   * Everything that `action` does through the store it is given, or nothing when it throws. Transactions run one after
   * another; one within another joins it. `action` must use its own store: the outer one waits until the transaction
   * has ended.
   */
  transaction<T>(action: (store: Store) => Promise<T>): Promise<T>
}

type Repositories = ReturnType<typeof repositories>

function repositories(db: Executor) {
  return {
    products: productsRepository(db),
    enrolmentTokens: enrolmentTokensRepository(db),
    pendingEnrolments: pendingEnrolmentsRepository(db),
    apiTokens: apiTokensRepository(db),
    devices: devicesRepository(db),
    sessions: sessionsRepository(db),
    evidence: evidenceRepository(db),
    refusals: refusalsRepository(db),
    epochs: epochsRepository(db),
    receipts: receiptsRepository(db),
    postures: posturesRepository(db),
    pcrSets: pcrSetsRepository(db),
    bootReferences: bootReferencesRepository(db),
    sections: sectionsRepository(db),
    references: referencesRepository(db),
    imaPolicies: imaPoliciesRepository(db),
    findings: findingsRepository(db),
    cases: casesRepository(db),
    auditLog: auditLogRepository(db),
    notifications: notificationsRepository(db),
    decisions: decisionsRepository(db),
    summary: () => readSummary(db),
  }
}

/** `db` must have been migrated. */
export function createStore(db: Executor): Store {
  return {
    ...repositories(db),
    transaction: (action) => transaction(db, (executor) => action(createStore(executor))),
  }
}

export interface OpenStore {
  readonly store: Store
  close(): Promise<void>
}

/** Opens the embedded database, brings its schema up to date and gives the store over it. */
export async function openStore(options: { readonly path: string }): Promise<OpenStore> {
  const db = openDatabase(options)
  try {
    await migrate(db)
  } catch (cause) {
    await db.destroy()
    throw cause
  }
  return { store: createStore(db), close: () => db.destroy() }
}
