import type { Logger } from 'pino'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { isInForce, type Certificate } from '../../../shared/decisions/certificate.ts'
import { OPEN_STATES } from '../../../shared/decisions/cases/case.ts'
import { deadlinesOf, overdueOf, type Deadline } from '../../../shared/decisions/cases/deadlines.ts'
import { NEXT_STEPS } from '../../../shared/decisions/cases/next-steps.ts'
import { isNamed } from '../../../shared/decisions/products.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { causeOf } from '../../../shared/maturity/causes.ts'
import type { Decisions } from '../../decisions/decision-book.ts'
import type { ReassessmentCase } from '../../model/case.ts'
import type { Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { caseCritical, caseOverdue } from '../events.ts'
import type { MissedDeadline } from '../triggers/registry-triggers.ts'
import { callsFor, type ProductFacts } from '../triggers/registry.ts'
import { openCase } from './open.ts'
import { isCriticalShare } from './severity.ts'
import { unlistedRevisions } from './unlisted.ts'
import { PeriodicWork } from '../../periodic-work.ts'

export interface CaseWatchOptions {
  readonly store: Store
  readonly decisions: Pick<Decisions, 'register'>
  readonly clock: () => number
  readonly random: RandomFunction
  readonly logger: Logger
  readonly isLeader: () => Promise<boolean>
  /** A unit that has reported for so long nothing is not counted as reporting. */
  readonly silentAfterMs: number
}

const EVERY_MS = 600_000
const PAGE = 200

/**
 * Looks from time to time for what the calendar, the registry and the fleet as a whole call for, and after the deadlines
 * of open cases. One collector does it for all; looking twice changes nothing.
 */
export class CaseWatch extends PeriodicWork {
  readonly #options: CaseWatchOptions

  constructor(options: CaseWatchOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'triggers could not be looked for' })
    this.#options = options
  }

  async look(): Promise<void> {
    const { store, decisions, clock, isLeader } = this.#options
    if (!(await isLeader())) return
    const register = await decisions.register()
    const now = clock()
    const open = await everyOpenCase(store)
    for (const found of open) await this.#follow(found, register, now)
    const inForce = [...register.certificates.values()].filter(isInForce)
    if (inForce.length === 0) return
    for await (const product of everyProduct(store)) {
      for (const certificate of inForce) {
        if (this.isStopped) return
        const isOfIt = certificate.products.some((each) => isNamed(each.product, product))
        if (isOfIt) await this.#call(product, certificate, open, register, now)
      }
    }
  }

  /** Each case in a transaction of its own: with the message about it, or not at all. */
  async #call(
    product: Product,
    certificate: Certificate,
    open: readonly ReassessmentCase[],
    register: Register,
    now: number,
  ): Promise<void> {
    const { store, random } = this.#options
    const facts = await this.#factsOf(product, certificate, open, register, now)
    for (const { severity, ...call } of callsFor(facts)) {
      const opening = {
        ...call,
        productId: product.id,
        certificateId: certificate.id,
        severity: severity ?? causeOf(call.cause).severity,
        detectedAt: now,
        origin: 'software',
      } as const
      await store.transaction((transaction) => openCase(transaction, opening, now, random))
    }
  }

  async #factsOf(
    product: Product,
    certificate: Certificate,
    open: readonly ReassessmentCase[],
    register: Register,
    now: number,
  ): Promise<ProductFacts> {
    const { store, silentAfterMs } = this.#options
    const own = open.filter(
      ({ productId, certificateId }) => productId === product.id && certificateId === certificate.id,
    )
    const releases = await store.releases.ofProduct(product.id)
    const updates = releases.flatMap(({ activatedAt }) => (activatedAt === null ? [] : [seconds(activatedAt)]))
    const critical = own
      .filter(({ cause }) => cause === 'vulnerability.critical')
      .map(({ openedAt }) => seconds(openedAt))
    return {
      now: seconds(now),
      certificate,
      releases,
      coverage: await store.fleetProof.coverage(product.id, now - silentAfterMs),
      unlisted: unlistedRevisions(certificate, product, await store.fleetProof.hardwareRevisions(product.id)),
      support: {
        lastUpdateAt: updates.length === 0 ? null : Math.max(...updates),
        criticalOpenSince: critical.length === 0 ? null : Math.min(...critical),
      },
      missed: own.flatMap((found) => missedBy(found, register, now)),
    }
  }

  /** Weighs a case anew, and tells once of each deadline that has passed. */
  async #follow(found: ReassessmentCase, register: Register, now: number): Promise<void> {
    const { store } = this.#options
    await store.transaction(async (transaction) => {
      if (found.severity !== 'critical') {
        const affected = await transaction.cases.affectedUnits(found.id)
        const { declared } = await transaction.fleetProof.coverage(found.productId, now)
        if (isCriticalShare(found.trigger, affected, declared)) {
          await transaction.cases.setSeverity(found.id, 'critical')
          await transaction.notifications.add(caseCritical(found, affected, declared, now))
        }
      }
      for (const deadline of overdue(found, register, now)) {
        const isNews = await transaction.cases.remindOnce(found.id, deadline.id, deadline.due, now)
        if (isNews) await transaction.notifications.add(caseOverdue(found, deadline, now))
      }
    })
  }
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

function overdue({ id, trigger, openedAt, certificateId }: ReassessmentCase, register: Register, now: number) {
  const { cases, certificates } = register
  const opened = { trigger, openedAt: seconds(openedAt) }
  return overdueOf(deadlinesOf(opened, cases.get(id), certificates.get(certificateId)), seconds(now))
}

/** What was the vendor's to do, and no case about that very thing: one complaint does not bring the next. */
function missedBy(found: ReassessmentCase, register: Register, now: number): readonly MissedDeadline[] {
  if (found.trigger === 'T19') return []
  const step = NEXT_STEPS[register.cases.get(found.id)?.state ?? 'triggered']
  const isVendors = step?.who.startsWith('vendor') === true
  if (!isVendors) return []
  const isStep = ({ isLegal, id }: Deadline): boolean => !isLegal && id !== 'class'
  return overdue(found, register, now)
    .filter(isStep)
    .map(({ id, title, due }) => ({ caseId: found.id, deadline: id, title, due }))
}

async function everyOpenCase(store: Store): Promise<readonly ReassessmentCase[]> {
  const all: ReassessmentCase[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Store['cases']['list']>> = await store.cases.list(
      { limit: PAGE, cursor },
      { state: OPEN_STATES },
    )
    all.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return all
}

async function* everyProduct(store: Store): AsyncGenerator<Product> {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Store['products']['list']>> = await store.products.list({ limit: PAGE, cursor })
    yield* page.items
    cursor = page.nextCursor
  } while (cursor !== null)
}
