import { isFinal, type Case } from '../../shared/decisions/cases/case.ts'
import { causeOf } from '../../shared/maturity/causes.ts'
import type { ReportedCase } from './model.ts'
import type { ProductSource } from './objectives.ts'
import { allPages, ofSeconds, time, type Making } from './sources.ts'

const PAGE = 200
const MAX_CASES = 1_000

/** Reassessment cases that were open at some time of the period, and how they stand now. */
export async function reportCases(
  { store, register, period: { from, to }, ledger, limits }: Making,
  products: readonly ProductSource[],
): Promise<readonly ReportedCase[]> {
  const reported: ReportedCase[] = []
  for (const { product } of products) {
    const { items, more } = await allPages(
      (cursor) => store.cases.list({ limit: PAGE, cursor }, { productId: product.id }),
      MAX_CASES,
    )
    if (more) limits.add(`${product.vendor}/${product.model}: the newest ${MAX_CASES} cases were read.`)
    for (const record of items) {
      const decided = register.cases.get(record.id)
      const ended = endOf(decided)
      if (record.openedAt > to || (ended !== null && ended < from)) continue
      if (decided !== undefined) ledger.add('case-facts', decided.facts, record.id)
      reported.push({
        id: record.id,
        product: `${product.vendor}/${product.model}`,
        certificate: record.certificateId,
        trigger: record.trigger,
        cause: record.cause,
        title: causeOf(record.cause).title,
        state: decided?.state ?? record.state,
        openedAt: time(record.openedAt),
        endedAt: decided === undefined || ended === null ? null : ofSeconds(decided.since),
        openedInPeriod: record.openedAt >= from,
        endedInPeriod: ended !== null && ended >= from && ended <= to,
      })
    }
  }
  return reported.sort((a, b) => (a.openedAt < b.openedAt ? -1 : 1))
}

const endOf = (decided: Case | undefined): number | null =>
  decided !== undefined && isFinal(decided.state) ? decided.since * 1000 : null
