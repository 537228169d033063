import type { Executor } from './database.ts'

export type OidcIdentitiesRepository = ReturnType<typeof oidcIdentitiesRepository>

/** Whose account somebody has whom a provider of OpenID Connect knows. */
export function oidcIdentitiesRepository(db: Executor) {
  return {
    /** Error: request.conflict when that person has one. */
    async create(identity: { readonly issuer: string; readonly subject: string; readonly accountId: string }) {
      const { issuer, subject, accountId } = identity
      await db.insertInto('oidc_identities').values({ issuer, subject, account_id: accountId }).execute()
    },

    async accountOf(issuer: string, subject: string): Promise<string | undefined> {
      const row = await db
        .selectFrom('oidc_identities')
        .select('account_id')
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .executeTakeFirst()
      return row?.account_id
    },

    /** Whether a provider says what that account may do. */
    async isOf(accountId: string): Promise<boolean> {
      const own = db.selectFrom('oidc_identities').select('account_id').where('account_id', '=', accountId)
      return (await own.executeTakeFirst()) !== undefined
    },
  }
}
