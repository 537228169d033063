import * as v from 'valibot'
import { hash } from '../../../shared/crypto/node.ts'
import { defaultCatalogue, digestOfCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { Catalogue } from '../../../shared/maturity/catalogue/schema.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest } from '../schemas.ts'
import { READERS } from './roles.ts'

const show = defineEndpoint({
  method: 'GET',
  path: '/practice-catalogue',
  operationId: 'getPracticeCatalogue',
  summary: 'What is said about the practices, and the digest of it',
  roles: READERS,
  scope: 'common',
  response: v.strictObject({ digest: Digest, catalogue: Catalogue }),
  run: async ({ catalogue = defaultCatalogue }) => ({ digest: digestOfCatalogue(catalogue, hash), catalogue }),
})

export const practiceCatalogueEndpoints: readonly Endpoint[] = [show]
