import type { Logger } from 'pino'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { isInForce, type Certificate } from '../../../shared/decisions/certificate.ts'
import { OPEN_STATES } from '../../../shared/decisions/cases/case.ts'
import { deadlinesOf, overdueOf, type Deadline } from '../../../shared/decisions/cases/deadlines.ts'
import { NEXT_STEPS } from '../../../shared/decisions/cases/next-steps.ts'
import { isNamed, vendorOf } from '../../../shared/decisions/products.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import type { Catalogue } from '../../../shared/maturity/catalogue/schema.ts'
import type { Decisions } from '../../decisions/decision-book.ts'
import type { CaseKey, ReassessmentCase } from '../../model/case.ts'
import type { Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { caseCritical, caseOverdue } from '../events.ts'
import { catalogueVersions } from '../facts/catalogue.ts'
import { lineMembers } from '../facts/members.ts'
import { productFacts, type FactSources } from '../facts/product-facts.ts'
import { UpdateKeys } from '../facts/update-keys.ts'
import { lineDiverged, type MissedDeadline } from '../triggers/registry-triggers.ts'
import { callsFor, isUnknown } from '../triggers/registry.ts'
import { isCriticalShare } from './severity.ts'
import { openCalled } from './standing.ts'
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
  readonly catalogue: Catalogue
}

const EVERY_MS = 600_000
const PAGE = 200

/**
 * Looks from time to time for what the calendar, the registry and the fleet as a whole call for, and after the deadlines
 * of open cases. One collector does it for all; looking twice changes nothing.
 */
export class CaseWatch extends PeriodicWork {
  readonly #options: CaseWatchOptions
  readonly #updateKeys = new UpdateKeys()

  constructor(options: CaseWatchOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'triggers could not be looked for' })
    this.#options = options
  }

  async look(): Promise<void> {
    const { store, decisions, clock, isLeader, silentAfterMs, catalogue, logger } = this.#options
    if (!(await isLeader())) return
    const register = await decisions.register()
    const now = clock()
    const versions = catalogueVersions(catalogue)
    await store.catalogueVersions.use(versions, now)
    const open = await everyOpenCase(store)
    for (const found of open) await this.#follow(found, register, now)
    const inForce = [...register.certificates.values()].filter(isInForce)
    if (inForce.length === 0) return
    const sources = { store, register, now, silentAfterMs, catalogue: versions, updateKeys: this.#updateKeys }
    for await (const product of everyProduct(store)) {
      for (const certificate of inForce) {
        if (this.isStopped) return
        const about = { productId: product.id, certificateId: certificate.id }
        // One product that cannot be looked at is no reason to leave out the others.
        await this.#look(product, certificate, open, sources).catch((error: unknown) =>
          logger.error({ err: error, ...about }, 'what calls for a case of a product could not be looked for'),
        )
      }
    }
  }

  async #look(
    product: Product,
    certificate: Certificate,
    open: readonly ReassessmentCase[],
    sources: FactSources,
  ): Promise<void> {
    const { store, random } = this.#options
    const about = { productId: product.id, certificateId: certificate.id }
    const { register, now } = sources
    if (certificate.products.some((each) => isNamed(each.product, product))) {
      const isOwn = (found: ReassessmentCase): boolean =>
        found.productId === about.productId && found.certificateId === about.certificateId
      const own = open.filter(isOwn)
      const missed = own.flatMap((found) => missedBy(found, register, now))
      const facts = await productFacts(sources, product, certificate, own, missed)
      const looked = { ...about, calls: callsFor(facts), isUnknown: (key: CaseKey) => isUnknown(facts, key) }
      await openCalled(store, looked, now, random)
    } else if (certificate.products.some((each) => vendorOf(each.product) === product.vendor)) {
      // A model that the line does not list, and that reports none the less.
      const groups = await store.reporting.coverageGroups(product.id)
      const calls = lineDiverged(lineMembers(register, certificate, product, groups, []))
      await openCalled(store, { ...about, calls, isUnknown: () => false }, now, random)
    }
  }

  /** Weighs a case anew, and tells once of each deadline that has passed. */
  async #follow(found: ReassessmentCase, register: Register, now: number): Promise<void> {
    const { store } = this.#options
    await store.transaction(async (transaction) => {
      if (found.severity !== 'critical') {
        const affected = await transaction.cases.affectedUnits(found.id)
        // Of those that are here: who declares many makes a failure no smaller.
        const { enrolled } = await transaction.fleetProof.coverage(found.productId, now)
        if (isCriticalShare(found.trigger, affected, enrolled)) {
          await transaction.cases.setSeverity(found.id, 'critical')
          await transaction.notifications.add(caseCritical(found, affected, enrolled, now))
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
