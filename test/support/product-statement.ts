import type { ProductStatement } from '../../collector/model/product-statement.ts'
import { id, NOW } from '../collector/store/samples.ts'

/** An advisory that is excluded for all of a product and for a day, but for what `over` says. */
export const productStatement = (
  productId: string,
  advisory: string,
  over: Partial<ProductStatement> = {},
): ProductStatement => ({
  id: id('exc'),
  productId,
  advisory,
  package: null,
  verdict: 'excluded',
  justification: null,
  release: null,
  configuration: null,
  environment: null,
  reason: 'the interface is closed',
  createdAt: NOW,
  createdBy: 'token',
  createdByName: 'Ada',
  expiresAt: NOW + 86_400_000,
  endedAt: null,
  ...over,
})
