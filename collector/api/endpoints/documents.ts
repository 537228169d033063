import * as v from 'valibot'
import type { AttestedDocument } from '../../../shared/decisions/documents/document.ts'
import { standingOfDocument } from '../../../shared/decisions/documents/standing.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, Time, toTime, toTimeOrNull } from '../schemas.ts'
import { READERS } from './roles.ts'

const DocumentJson = v.strictObject({
  id: v.string(),
  kind: v.string(),
  practices: v.array(v.string()),
  criterion: v.string(),
  statement: v.string(),
  file: v.strictObject({ name: v.string(), sha256: Digest }),
  capacity: v.string(),
  products: v.array(v.string()),
  issued: Time,
  validUntil: Time,
  supersedes: v.nullable(v.string()),
  standing: v.string(),
  counts: v.boolean(),
  signerRevoked: v.boolean(),
  submittedBy: v.string(),
  acceptedBy: v.nullable(v.string()),
  reason: v.string(),
  endedAt: v.nullable(Time),
})

function documentJson(document: AttestedDocument, register: Register, now: number): v.InferOutput<typeof DocumentJson> {
  const { state: _, submittedAt: __, issued, validUntil, endedAt, file, practices, products, ...rest } = document
  return {
    ...rest,
    file: { ...file },
    practices: [...practices],
    products: [...products],
    ...standingOfDocument(document, register, Math.floor(now / 1000)),
    issued: toTime(issued * 1000),
    validUntil: toTime(validUntil * 1000),
    endedAt: toTimeOrNull(endedAt === null ? null : endedAt * 1000),
  }
}

const list = defineEndpoint({
  method: 'GET',
  path: '/documents',
  operationId: 'listDocuments',
  summary: 'Documents of the decision log with their standing now, oldest first',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(DocumentJson) }),
  run: async ({ decisions, clock }) => {
    const register = await decisions.register()
    return { items: [...register.documents.values()].map((each) => documentJson(each, register, clock())) }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/documents/:id',
  operationId: 'getDocument',
  summary: 'One document with its standing now',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(128)) }),
  response: DocumentJson,
  run: async ({ decisions, clock }, { params: { id } }) => {
    const register = await decisions.register()
    const document = register.documents.get(id)
    if (document === undefined) throw new KeepsealError('request.not-found', `document ${id}`)
    return documentJson(document, register, clock())
  },
})

export const documentEndpoints: readonly Endpoint[] = [list, show]
