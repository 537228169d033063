import { fromHex } from '../../shared/bytes/bytes.ts'
import type { Certificate } from '../../shared/decisions/certificate.ts'
import { vendorOf } from '../../shared/decisions/products.ts'
import { worstStatus, type PracticeStatus } from '../../shared/maturity/conformity/status.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import type { Store } from '../store/index.ts'

/** What a published status says beside the decision log. */
export interface PublishedFacts {
  /**
   * Live conformity of what a certificate asks for: `overall`, and of each practice, the worst of its products. What
   * nobody has evaluated is unknown.
   */
  readonly conformityOf: (
    certificate: Pick<Certificate, 'products'>,
    targets: readonly string[],
  ) => Promise<Readonly<Record<string, string>>>
  /** The document of a profile by its digest, in its one encoding; undefined where nobody has handed it in. */
  readonly profileDocument: (digest: string) => Promise<Uint8Array | undefined>
}

export const publishedFacts = (store: Pick<Store, 'products' | 'practices' | 'profileDocuments'>): PublishedFacts => ({
  async conformityOf({ products }, targets) {
    const found = new Map<string, PracticeStatus[]>(targets.map((practice) => [practice, []]))
    for (const { product } of products) {
      const vendor = vendorOf(product)
      const owner = await store.products.byVendorModel(vendor, product.slice(vendor.length + 1))
      const states = owner && (await store.practices.states(owner.id))
      for (const [practice, statuses] of found) {
        const state = states?.get(practice as PracticeId)
        // Judged without a target, it says nothing about the one of this certificate.
        statuses.push(state === undefined || state.explanation.target === null ? 'unknown' : state.status)
      }
    }
    const worst = [...found].map(([practice, statuses]) => [practice, worstStatus(statuses)] as const)
    return { overall: worstStatus(worst.map(([, status]) => status)), ...Object.fromEntries(worst) }
  },

  profileDocument: (digest) => store.profileDocuments.byDigest(fromHex(digest)),
})
