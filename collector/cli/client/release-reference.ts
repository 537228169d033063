import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { ApiClient } from './api.ts'
import { productIdOf } from './product-reference.ts'

const Act = v.nullable(v.looseObject({ by: v.string(), at: v.string() }))

export const Release = v.looseObject({
  id: v.string(),
  productId: v.string(),
  name: v.string(),
  digest: v.string(),
  seen: v.string(),
  state: v.string(),
  standing: v.string(),
  authors: v.array(v.string()),
  createdAt: v.string(),
  approved: Act,
  countersigned: Act,
  activatedAt: v.nullable(v.string()),
  acceptedUntil: v.nullable(v.string()),
  revokedAt: v.nullable(v.string()),
  isMinimum: v.boolean(),
  deviceCount: v.number(),
})
export type Release = v.InferOutput<typeof Release>

export const ReleaseList = v.looseObject({ items: v.array(Release), otherDevices: v.number() })

export const releaseArgument = { description: 'Its id, or PRODUCT@NAME, as in "Gate 7@2.4.1".' } as const

export const pathOfRelease = (id: string): string => `/releases/${encodeURIComponent(id)}`

/** The id of the release that a person means. Error: request.not-found. */
export async function releaseIdOf(client: ApiClient, reference: string): Promise<string> {
  if (/^rel_[0-9a-f-]+$/.test(reference)) return reference
  const at = reference.lastIndexOf('@')
  if (at < 1) {
    throw new KeepsealError('usage.invalid', `${reference} names no release: its id, or PRODUCT@NAME`, {
      remedy: 'keepseal release list PRODUCT',
    })
  }
  const productId = await productIdOf(client, reference.slice(0, at))
  const name = reference.slice(at + 1)
  const { items } = await client.get(`/products/${productId}/releases`, ReleaseList)
  const found = items.find((release) => release.name === name)
  if (found !== undefined) return found.id
  throw new KeepsealError('request.not-found', `release ${reference}`, { remedy: 'keepseal release list PRODUCT' })
}
