import type { Selectable } from 'kysely'
import { decodeCoseKey, encodeCoseKey } from '../../shared/cose/key.ts'
import type { Passkey } from '../model/passkey.ts'
import type { Executor } from './database.ts'
import type { PasskeysTable } from './schema-accounts.ts'

const toPasskey = (row: Selectable<PasskeysTable>): Passkey => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  credentialId: row.credential_id,
  key: decodeCoseKey(row.public_key),
  relyingPartyId: row.relying_party_id,
  signCount: row.sign_count,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
})

export type PasskeysRepository = ReturnType<typeof passkeysRepository>

/** What people log in with in place of a password. Public keys alone. */
export function passkeysRepository(db: Executor) {
  return {
    /** Error: request.conflict when the credential is there already, whoever has it. */
    async create({ key, ...passkey }: Passkey): Promise<void> {
      const row = {
        id: passkey.id,
        account_id: passkey.accountId,
        name: passkey.name,
        credential_id: passkey.credentialId,
        public_key: encodeCoseKey(key),
        relying_party_id: passkey.relyingPartyId,
        sign_count: passkey.signCount,
        created_at: passkey.createdAt,
        last_used_at: passkey.lastUsedAt,
      }
      await db.insertInto('passkeys').values(row).execute()
    },

    async byCredential(credentialId: Uint8Array): Promise<Passkey | undefined> {
      const all = db.selectFrom('passkeys').selectAll()
      const row = await all.where('credential_id', '=', credentialId).executeTakeFirst()
      return row === undefined ? undefined : toPasskey(row)
    },

    /** Oldest first. */
    async listOf(accountId: string): Promise<readonly Passkey[]> {
      const all = db.selectFrom('passkeys').selectAll().where('account_id', '=', accountId)
      return (await all.orderBy('id').execute()).map(toPasskey)
    },

    /** Writes a use down. False when it was used, or removed, since its counter was read. */
    async use(id: string, counter: { readonly from: number; readonly to: number }, now: number): Promise<boolean> {
      const used = await db
        .updateTable('passkeys')
        .set({ sign_count: counter.to, last_used_at: now })
        .where('id', '=', id)
        .where('sign_count', '=', counter.from)
        .executeTakeFirst()
      return used.numUpdatedRows === 1n
    },

    /** False when that account has no such passkey. */
    async remove(accountId: string, id: string): Promise<boolean> {
      const removed = await db
        .deleteFrom('passkeys')
        .where('account_id', '=', accountId)
        .where('id', '=', id)
        .executeTakeFirst()
      return removed.numDeletedRows === 1n
    },

    async removeAllOf(accountId: string): Promise<void> {
      await db.deleteFrom('passkeys').where('account_id', '=', accountId).execute()
    },
  }
}
