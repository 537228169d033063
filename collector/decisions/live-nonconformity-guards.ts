import type { ConfirmDetail } from '../../shared/decisions/nonconformity.ts'
import { productName } from '../../shared/decisions/products.ts'
import type { PracticeState } from '../model/practice.ts'
import type { LiveContext, LiveGuard } from './live-guard.ts'

const KINDS = ['nonconformity.confirm'] as const

const detailOf = ({ detail }: LiveContext): ConfirmDetail => detail as ConfirmDetail

const stateOf = async (context: LiveContext): Promise<PracticeState | undefined> =>
  (await context.store.practices.states(context.subject)).get(detailOf(context).practice)

async function driftBreach(context: LiveContext): Promise<string | undefined> {
  const state = await stateOf(context)
  if (state === undefined || state.explanation.target === null) return 'no profile in force asks for this practice'
  return state.status === 'drift' ? undefined : `it is ${state.status}, not in drift`
}

async function factsBreach(context: LiveContext): Promise<string | undefined> {
  const { product: named, since } = detailOf(context)
  const product = await context.store.products.byId(context.subject)
  const actual = Math.floor(((await stateOf(context))?.since ?? 0) / 1000)
  if (product === undefined || productName(product) !== named) return `${context.subject} is not ${named}`
  return since === actual ? undefined : `in drift since ${actual}, not since ${since}`
}

/** What a certifier confirms is what the collector has computed, and nothing that somebody believes of it. */
export const nonconformityGuards: readonly LiveGuard[] = [
  { code: 'nonconformity.not-in-drift', wants: 'the practice is in drift', kinds: KINDS, breach: driftBreach },
  {
    code: 'nonconformity.facts-mismatch',
    wants: 'product and time are those that the collector has',
    kinds: KINDS,
    breach: factsBreach,
  },
]
