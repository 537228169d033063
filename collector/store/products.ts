import type { Certificate, Product } from '../model/product.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const productColumns = [
  'id',
  'vendor',
  'model',
  'identity_policy as identityPolicy',
  'approval_policy as approvalPolicy',
  'certified',
  'created_at as createdAt',
] as const

const certificateColumns = [
  'id',
  'product_id as productId',
  'number',
  'profile_uri as profileUri',
  'valid_until as validUntil',
  'created_at as createdAt',
] as const

/** Only the certifier says that a product is certified, and not by making it. */
export type NewProduct = Omit<Product, 'isCertified'>
type ProductRow = Omit<Product, 'isCertified'> & { readonly certified: 0 | 1 }

const toProduct = ({ certified, ...same }: ProductRow): Product => ({ ...same, isCertified: certified === 1 })
const optional = (row: ProductRow | undefined): Product | undefined => (row === undefined ? undefined : toProduct(row))

export type ProductsRepository = ReturnType<typeof productsRepository>

/** Products and the certificates that were issued for them. */
export function productsRepository(db: Executor) {
  return {
    /** Not certified, whatever it says. Error: request.conflict when vendor and model are taken. */
    async create(product: NewProduct): Promise<void> {
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
      return toPage(await query.execute(), page, (row) => row.id, toProduct)
    },

    async byId(id: string): Promise<Product | undefined> {
      return optional(await db.selectFrom('products').select(productColumns).where('id', '=', id).executeTakeFirst())
    },

    async byVendorModel(vendor: string, model: string): Promise<Product | undefined> {
      const row = await db
        .selectFrom('products')
        .select(productColumns)
        .where('vendor', '=', vendor)
        .where('model', '=', model)
        .executeTakeFirst()
      return optional(row)
    },

    async setCertified(id: string, isCertified: boolean): Promise<void> {
      await db
        .updateTable('products')
        .set({ certified: isCertified ? 1 : 0 })
        .where('id', '=', id)
        .execute()
    },

    /** Error: request.conflict when the product has a certificate of that number. */
    async createCertificate(certificate: Certificate): Promise<void> {
      await db
        .insertInto('certificates')
        .values({
          id: certificate.id,
          product_id: certificate.productId,
          number: certificate.number,
          profile_uri: certificate.profileUri,
          valid_until: certificate.validUntil,
          created_at: certificate.createdAt,
        })
        .execute()
    },

    /** Newest first. */
    async certificatesOf(productId: string): Promise<readonly Certificate[]> {
      return db
        .selectFrom('certificates')
        .select(certificateColumns)
        .where('product_id', '=', productId)
        .orderBy('id', 'desc')
        .execute()
    },
  }
}
