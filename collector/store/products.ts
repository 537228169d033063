import type { Product } from '../model/product.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const productColumns = [
  'id',
  'vendor',
  'model',
  'identity_policy as identityPolicy',
  'approval_policy as approvalPolicy',
  'created_at as createdAt',
] as const

export type ProductsRepository = ReturnType<typeof productsRepository>

export function productsRepository(db: Executor) {
  return {
    /** Error: request.conflict when vendor and model are taken. */
    async create(product: Product): Promise<void> {
      const { id, vendor, model, identityPolicy, approvalPolicy, createdAt } = product
      await db
        .insertInto('products')
        .values({
          id,
          vendor,
          model,
          identity_policy: identityPolicy,
          approval_policy: approvalPolicy,
          created_at: createdAt,
        })
        .execute()
    },

    /** Newest first. */
    async list(page: PageRequest): Promise<Page<Product>> {
      const cursor = idCursor(page)
      let query = db.selectFrom('products').select(productColumns).orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row): Product => row,
      )
    },

    async byId(id: string): Promise<Product | undefined> {
      return db.selectFrom('products').select(productColumns).where('id', '=', id).executeTakeFirst()
    },

    async byVendorModel(vendor: string, model: string): Promise<Product | undefined> {
      return db
        .selectFrom('products')
        .select(productColumns)
        .where('vendor', '=', vendor)
        .where('model', '=', model)
        .executeTakeFirst()
    },
  }
}
