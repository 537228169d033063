import type { PracticeStatus } from '../../shared/maturity/conformity/status.ts'
import { PRACTICE_IDS, PRACTICES, type PracticeId } from '../../shared/maturity/practices.ts'
import type { PracticeState, PracticeTransition } from '../model/practice.ts'
import type { ReportedPractice } from './model.ts'
import type { ProductSource } from './objectives.ts'
import { allPages, time, type Making } from './sources.ts'

const PAGE = 200
/** More steps than anybody reads; what is older than these is not told. */
const MAX_TRANSITIONS = 2_000

/** All 18, so that what the profile does not ask for is seen as well. */
export async function reportPractices(making: Making, source: ProductSource): Promise<readonly ReportedPractice[]> {
  const { store, period, limits } = making
  const { product, targets } = source
  const states = await store.practices.states(product.id)
  const { items, more } = await allPages(
    (cursor) => store.practices.transitions(product.id, { limit: PAGE, cursor }),
    MAX_TRANSITIONS,
  )
  if (more) limits.add(`Of the changes of practices the newest ${MAX_TRANSITIONS} were read.`)
  const within = items.filter(({ at }) => at >= period.from && at <= period.to).reverse()
  return PRACTICE_IDS.map((practice) => {
    const target = targets.get(practice)
    const history = within.filter((each) => each.practice === practice)
    return reportPractice(practice, states.get(practice), target, history)
  })
}

function reportPractice(
  practice: PracticeId,
  state: PracticeState | undefined,
  target: { readonly level: number; readonly scope: string } | undefined,
  history: readonly PracticeTransition[],
): ReportedPractice {
  const { name, domain } = PRACTICES[practice]
  const { explanation, confirmed } = state ?? {}
  return {
    practice,
    name,
    domain,
    target: target?.level ?? null,
    scope: target?.scope ?? null,
    supported: explanation?.supported ?? 0,
    // Nobody has looked yet: that is unknown, and no pass.
    conformity: state?.status ?? ('unknown' satisfies PracticeStatus),
    since: state === undefined ? null : time(state.since),
    coverage: explanation?.coverage ?? null,
    confirmed: confirmed ? { by: confirmed.byName, at: time(confirmed.at), reason: confirmed.reason } : null,
    reasons: explanation?.reasons ?? [],
    history: history.map(({ at, from, to, reasons }) => ({
      at: time(at),
      from,
      to,
      reasons: reasons.map(({ text }) => text),
    })),
  }
}
