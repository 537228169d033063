import { defaultHysteresis } from '../../shared/codes/finding-hysteresis.ts'
import type { FindingCode } from '../../shared/codes/findings.ts'
import { evaluate, isAtRest, notEvaluated, type Hysteresis } from '../../shared/hysteresis/hysteresis.ts'
import type { Finding, FindingPolicy, FindingState } from '../model/finding.ts'

/** null for what is a finding at once. */
export type HysteresisOf = (code: FindingCode) => Hysteresis | null

export const immediately: HysteresisOf = () => null

/** As a product wants it, or else as it holds for everybody. */
export const hysteresisBy =
  (policies: ReadonlyMap<FindingCode, FindingPolicy>): HysteresisOf =>
  (code) =>
    policies.get(code)?.hysteresis ?? defaultHysteresis(code)

type Evaluated = Pick<Finding, 'code' | 'hysteresis'> & { readonly state?: FindingState }
interface Standing {
  readonly state: 'open' | 'suspected'
  readonly hysteresis: Finding['hysteresis']
}

const stateOf = ({ hysteresis, state }: Evaluated) => ({
  ...(hysteresis ?? notEvaluated),
  isEntered: state === 'open' || state === 'recovered',
})

/** What is measured was found bad once more: whether that makes it a finding. */
export function suspecting(hysteresisOf: HysteresisOf, finding: Evaluated, at: number): Standing {
  const hysteresis = hysteresisOf(finding.code)
  if (hysteresis === null) return { state: 'open', hysteresis: null }
  const { isEntered, ...kept } = evaluate(hysteresis, stateOf(finding), 'bad', at)
  return { state: isEntered ? 'open' : 'suspected', hysteresis: kept }
}

/** What is measured was found good: whether that was long enough to be the end of it. */
export function leaving(
  hysteresisOf: HysteresisOf,
  finding: Evaluated,
  at: number,
): { readonly isLeft: boolean; readonly hysteresis: Finding['hysteresis'] } {
  const hysteresis = hysteresisOf(finding.code)
  if (hysteresis === null) return { isLeft: true, hysteresis: null }
  const state = evaluate(hysteresis, stateOf(finding), 'good', at)
  const { isEntered: _, ...kept } = state
  return { isLeft: isAtRest(state), hysteresis: kept }
}
