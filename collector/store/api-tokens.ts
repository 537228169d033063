import type { ApiToken } from '../model/product.ts'
import type { Executor } from './database.ts'
import { scopeColumns, toScope, type ScopeColumns } from './scope/columns.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const columns = [
  'id',
  'name',
  'token_hash as tokenHash',
  'role',
  'vendor',
  'products',
  'created_at as createdAt',
  'expires_at as expiresAt',
] as const

type Row = Omit<ApiToken, 'scope'> & ScopeColumns

const toToken = ({ vendor, products, ...same }: Row): ApiToken => ({ ...same, scope: toScope({ vendor, products }) })

export type ApiTokensRepository = ReturnType<typeof apiTokensRepository>

/** Tokens of people and programs that use the API. A revoked one stays in the table and is given to nobody. */
export function apiTokensRepository(db: Executor) {
  return {
    async create(token: ApiToken): Promise<void> {
      await db
        .insertInto('api_tokens')
        .values({
          id: token.id,
          name: token.name,
          token_hash: token.tokenHash,
          role: token.role,
          ...scopeColumns(token.scope),
          created_at: token.createdAt,
          expires_at: token.expiresAt,
          revoked_at: null,
        })
        .execute()
    },

    /** Not revoked; whether it has expired is the caller's to check. */
    async byHash(tokenHash: Uint8Array): Promise<ApiToken | undefined> {
      const row = await db
        .selectFrom('api_tokens')
        .select(columns)
        .where('token_hash', '=', tokenHash)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return row === undefined ? undefined : toToken(row)
    },

    /** Newest first, without revoked ones. */
    async list(page: PageRequest): Promise<Page<ApiToken>> {
      const cursor = idCursor(page)
      let query = db
        .selectFrom('api_tokens')
        .select(columns)
        .where('revoked_at', 'is', null)
        .orderBy('id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(await query.execute(), page, (row) => row.id, toToken)
    },

    /** False when there is none, or none any more. */
    async revoke(id: string, now: number): Promise<boolean> {
      const revoked = await db
        .updateTable('api_tokens')
        .set({ revoked_at: now })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return revoked.numUpdatedRows === 1n
    },
  }
}
