import type { Executor } from './database.ts'

/** One version of what the files of a product's devices may be. */
export interface StoredImaPolicy {
  readonly productId: string
  readonly version: number
  /** JSON, as it was checked. */
  readonly policy: string
  readonly createdAt: number
  readonly createdBy: string
}

const columns = [
  'product_id as productId',
  'version',
  'policy',
  'created_at as createdAt',
  'created_by as createdBy',
] as const

export type ImaPoliciesRepository = ReturnType<typeof imaPoliciesRepository>

/** All versions are kept: what a device was judged by has to stay known. The newest one holds. */
export function imaPoliciesRepository(db: Executor) {
  const newestVersion = async (productId: string): Promise<number> => {
    const row = await db
      .selectFrom('ima_policies')
      .select(({ fn }) => fn.max('version').as('version'))
      .where('product_id', '=', productId)
      .executeTakeFirst()
    return Number(row?.version ?? 0)
  }

  return {
    /** 0: there is none. */
    newestVersion,

    async newest(productId: string): Promise<StoredImaPolicy | undefined> {
      return db
        .selectFrom('ima_policies')
        .select(columns)
        .where('product_id', '=', productId)
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst()
    },

    /** Gives its version. Within a transaction, so that two of them get two. */
    async add(policy: Omit<StoredImaPolicy, 'version'>): Promise<number> {
      const version = (await newestVersion(policy.productId)) + 1
      await db
        .insertInto('ima_policies')
        .values({
          product_id: policy.productId,
          version,
          policy: policy.policy,
          created_at: policy.createdAt,
          created_by: policy.createdBy,
        })
        .execute()
      return version
    },
  }
}
