import type { Logger } from 'pino'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import type { Catalogue } from '../../../shared/maturity/catalogue/schema.ts'
import type { Decisions } from '../../decisions/decision-book.ts'
import type { Product } from '../../model/product.ts'
import type { SeenDeadlines } from '../../store/fleet-page.ts'
import type { Store } from '../../store/index.ts'
import { evaluateProduct } from './evaluate.ts'
import { PostureOutcomes } from './posture-outcomes.ts'
import { agreedFor } from './targets.ts'
import { PeriodicWork } from '../../periodic-work.ts'

export interface PracticeEvaluatorOptions {
  readonly store: Store
  readonly decisions: Pick<Decisions, 'register' | 'certificatesCovering'>
  readonly catalogue: Catalogue
  /** Who was seen last before these moments is stale, or silent. */
  readonly deadlines: (now: number) => SeenDeadlines
  readonly everyMs: number
  readonly clock: () => number
  readonly random: RandomFunction
  readonly logger: Pick<Logger, 'error'>
  readonly isLeader: () => Promise<boolean>
}

/** Within a time slot the work is done soon, whoever leads; a slot that nobody was there for is left out. */
const LOOKS_IN_A_SLOT = 10
const PAGE = 100

/** Evaluates the practices of every product, once in each time slot. One collector does it for all. */
export class PracticeEvaluator extends PeriodicWork {
  readonly #options: PracticeEvaluatorOptions
  readonly #postures = new PostureOutcomes()

  constructor(options: PracticeEvaluatorOptions) {
    const lookMs = options.everyMs / LOOKS_IN_A_SLOT
    super({ everyMs: lookMs, firstMs: lookMs, logger: options.logger, failure: 'practices could not be evaluated' })
    this.#options = options
  }

  /** Evaluates what this slot has not seen yet. One product that cannot be is no reason to leave out the others. */
  async look(): Promise<void> {
    const { store, isLeader, logger } = this.#options
    let cursor: string | null = null
    do {
      const page: { items: readonly Product[]; nextCursor: string | null } = await store.products.list({
        limit: PAGE,
        cursor,
      })
      for (const product of page.items) {
        if (this.isStopped || !(await isLeader())) return
        await this.#evaluate(product).catch((error: unknown) =>
          logger.error({ err: error, productId: product.id }, 'the practices of a product could not be evaluated'),
        )
      }
      cursor = page.nextCursor
    } while (cursor !== null)
  }

  #evaluate(product: Product): Promise<boolean> {
    const { store, decisions, clock, everyMs, deadlines, random, catalogue } = this.#options
    const now = clock()
    return evaluateProduct(store, product, {
      now,
      slot: Math.floor(now / everyMs),
      deadlines: deadlines(now),
      postures: this.#postures,
      random,
      agreed: (transaction) => agreedFor(decisions, product, { now, store: transaction, catalogue }),
    })
  }
}
