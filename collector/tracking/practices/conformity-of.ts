import type { Certificate } from '../../../shared/decisions/certificate.ts'
import { vendorOf } from '../../../shared/decisions/products.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { worstStatus, type PracticeStatus } from '../../../shared/maturity/conformity/status.ts'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'
import type { Store } from '../../store/index.ts'
import { profileInForce } from './profiles-in-force.ts'

/** How one product of a certificate keeps what the profile promises. */
export interface ProductConformity {
  /** VENDOR/MODEL */
  readonly product: string
  /** null: no such product is registered here, and nothing is known of it. */
  readonly productId: string | null
  /** ms since 1970; null before the first evaluation. */
  readonly evaluatedAt: number | null
  readonly overall: PracticeStatus
}

/** What is computed of a certificate: it moves no certificate, and is no state of one. */
export interface CertificateConformity {
  /** The worst of all products: so of the line. */
  readonly overall: PracticeStatus
  /** Of each practice of the profile the worst of all products, whether it counts or not. */
  readonly practices: ReadonlyMap<PracticeId, PracticeStatus>
  /** Practices that count, by the priority that the profile says. */
  readonly counting: readonly PracticeId[]
  readonly products: readonly ProductConformity[]
}

/** What was evaluated so long ago says nothing about today. */
const STALE_MS = 2 * 86_400_000

export const isExpiredEvaluation = (evaluatedAt: number, now: number): boolean => evaluatedAt <= now - STALE_MS

/**
 * The conformity of a certificate, of its line and of each of its products: the worst among the practices that count. A
 * product that nobody watches, or that was not evaluated lately, is `unknown`, and so is the whole. `now`: ms since 1970.
 */
export async function conformityOf(
  store: Pick<Store, 'products' | 'practices' | 'profileDocuments'>,
  register: Register,
  certificate: Certificate,
  now: number,
): Promise<CertificateConformity> {
  const { targets, counting } = await profileInForce(store, register, certificate)
  const asked = PRACTICE_IDS.filter((practice) => targets[practice] !== undefined)
  const all = new Map<PracticeId, PracticeStatus[]>(asked.map((practice) => [practice, []]))
  const products: ProductConformity[] = []
  for (const { product } of certificate.products) {
    const vendor = vendorOf(product)
    const found = await store.products.byVendorModel(vendor, product.slice(vendor.length + 1))
    const evaluation = found && (await store.practices.evaluation(found.id))
    const isFresh = evaluation !== undefined && !isExpiredEvaluation(evaluation.evaluatedAt, now)
    const states = found !== undefined && isFresh ? await store.practices.states(found.id) : undefined
    const status = (practice: PracticeId): PracticeStatus => {
      const state = states?.get(practice)
      return state === undefined || state.explanation.target === null ? 'unknown' : state.status
    }
    for (const practice of asked) all.get(practice)?.push(status(practice))
    products.push({
      product,
      productId: found?.id ?? null,
      evaluatedAt: evaluation?.evaluatedAt ?? null,
      overall: worstStatus(counting.map(status)),
    })
  }
  return {
    overall: worstStatus(products.map(({ overall }) => overall)),
    practices: new Map([...all].map(([practice, statuses]) => [practice, worstStatus(statuses)])),
    counting,
    products,
  }
}
