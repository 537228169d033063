import * as v from 'valibot'
import type { Certificate } from '../../model/product.ts'
import { makeId } from '../../store/ids.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Name, Time, toTime } from '../schemas.ts'
import { existingProduct, ProductParams } from './products.ts'
import { CERTIFIER, READERS } from './roles.ts'

const ProfileUri = v.pipe(v.string(), v.maxLength(1024), v.url())

const CertificateJson = v.strictObject({
  id: id('crt'),
  productId: id('prd'),
  /** The certifier's own number of it. */
  number: Name,
  profileUri: ProfileUri,
  validUntil: Time,
  createdAt: Time,
})

const toJson = (certificate: Certificate) => ({
  ...certificate,
  validUntil: toTime(certificate.validUntil),
  createdAt: toTime(certificate.createdAt),
})

const create = defineEndpoint({
  method: 'POST',
  path: '/products/:id/certificates',
  operationId: 'createCertificate',
  summary: 'Record that a certificate was issued for a product',
  roles: CERTIFIER,
  scope: 'own',
  params: ProductParams,
  body: v.strictObject({ number: Name, profileUri: ProfileUri, validUntil: Time }),
  status: 201,
  response: CertificateJson,
  run: async ({ store, clock, random }, { params, body, actor }) => {
    const now = clock()
    const validUntil = Date.parse(body.validUntil)
    const certificate: Certificate = {
      id: makeId('crt', now, random),
      productId: params.id,
      number: body.number,
      profileUri: body.profileUri,
      validUntil,
      createdAt: now,
    }
    await store.transaction(async (transaction) => {
      await existingProduct(transaction, params.id)
      await transaction.products.createCertificate(certificate)
      const detail = { productId: params.id, ...body }
      const entry = { at: now, actor: actor.id, action: 'certificate.create', subject: certificate.id, detail }
      await transaction.auditLog.append(entry)
    })
    return toJson(certificate)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/products/:id/certificates',
  operationId: 'listCertificates',
  summary: 'All certificates of a product, newest first',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.strictObject({ items: v.array(CertificateJson) }),
  run: async ({ store }, { params }) => {
    const product = await existingProduct(store, params.id)
    return { items: (await store.products.certificatesOf(product.id)).map(toJson) }
  },
})

export const certificateEndpoints: readonly Endpoint[] = [create, list]
