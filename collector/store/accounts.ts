import type { Selectable } from 'kysely'
import type { Account } from '../model/account.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { AccountsTable } from './schema-accounts.ts'
import { scopeColumns, toScope } from './scope/columns.ts'

function toAccount(row: Selectable<AccountsTable>): Account {
  return {
    id: row.id,
    login: row.login,
    name: row.name,
    role: row.role,
    scope: toScope(row),
    password: row.password,
    totpSalt: row.totp_salt,
    totpStep: row.totp_step,
    invitationHash: row.invitation_hash,
    invitationExpiresAt: row.invitation_expires_at,
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
  }
}

function toRow(account: Account): AccountsTable {
  return {
    id: account.id,
    login: account.login,
    name: account.name,
    role: account.role,
    ...scopeColumns(account.scope),
    password: account.password,
    totp_salt: account.totpSalt,
    totp_step: account.totpStep,
    invitation_hash: account.invitationHash,
    invitation_expires_at: account.invitationExpiresAt,
    created_at: account.createdAt,
    disabled_at: account.disabledAt,
  }
}

export type AccountsRepository = ReturnType<typeof accountsRepository>

/** People who log in, and the recovery codes of each. */
export function accountsRepository(db: Executor) {
  const all = () => db.selectFrom('accounts').selectAll()
  const optional = (row: Selectable<AccountsTable> | undefined) => (row === undefined ? undefined : toAccount(row))

  return {
    /** Error: request.conflict when the login is taken. */
    async create(account: Account): Promise<void> {
      await db.insertInto('accounts').values(toRow(account)).execute()
    },

    async save(account: Account): Promise<void> {
      const { id, ...values } = toRow(account)
      await db.updateTable('accounts').set(values).where('id', '=', id).execute()
    },

    async byId(id: string): Promise<Account | undefined> {
      return optional(await all().where('id', '=', id).executeTakeFirst())
    },

    async byLogin(login: string): Promise<Account | undefined> {
      return optional(await all().where('login', '=', login).executeTakeFirst())
    },

    async byInvitation(hash: Uint8Array): Promise<Account | undefined> {
      return optional(await all().where('invitation_hash', '=', hash).executeTakeFirst())
    },

    /** Newest first. */
    async list(page: PageRequest): Promise<Page<Account>> {
      const cursor = idCursor(page)
      let query = all().orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(await query.execute(), page, (row) => row.id, toAccount)
    },

    /** Uses a step up, and all before it. True for exactly one caller. */
    async useTotpStep(id: string, step: number): Promise<boolean> {
      const used = await db
        .updateTable('accounts')
        .set({ totp_step: step })
        .where('id', '=', id)
        .where((or) => or.or([or('totp_step', 'is', null), or('totp_step', '<', step)]))
        .executeTakeFirst()
      return used.numUpdatedRows === 1n
    },

    async replaceRecoveryCodes(id: string, hashes: readonly Uint8Array[]): Promise<void> {
      await db.deleteFrom('recovery_codes').where('account_id', '=', id).execute()
      if (hashes.length === 0) return
      const rows = hashes.map((hash) => ({ account_id: id, code_hash: hash }))
      await db.insertInto('recovery_codes').values(rows).execute()
    },

    /** True for exactly one caller. */
    async useRecoveryCode(id: string, hash: Uint8Array): Promise<boolean> {
      const used = await db
        .deleteFrom('recovery_codes')
        .where('account_id', '=', id)
        .where('code_hash', '=', hash)
        .executeTakeFirst()
      return used.numDeletedRows === 1n
    },

    async recoveryCodesLeft(id: string): Promise<number> {
      const rows = await db.selectFrom('recovery_codes').select('account_id').where('account_id', '=', id).execute()
      return rows.length
    },
  }
}
