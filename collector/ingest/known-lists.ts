import * as v from 'valibot'
import type { ImaPolicy } from '../../shared/ima/policy.ts'
import type { Deviation } from '../appraisal/context.ts'
import { ImaPolicyDocument } from '../model/ima-policy.ts'
import type { ImaState } from '../model/ima-state.ts'
import { Recent } from '../recent.ts'
import type { Store } from '../store/index.ts'
import { compileImaPolicy } from '../trust/ima/policy.ts'

const CAPACITY = 16

/** Reading a policy costs more than judging a few entries by it: the newest ones are kept, within a bound. */
export class ImaPolicyCache {
  readonly #recent = new Recent<{ readonly version: number; readonly policy: ImaPolicy }>(CAPACITY)

  /** What holds for a product now; undefined where nobody has said so. */
  async policyOf(store: Store, productId: string): Promise<ImaPolicy | undefined> {
    const version = await store.imaPolicies.newestVersion(productId)
    if (version === 0) return undefined
    const held = this.#recent.get(productId)
    if (held?.version === version) return held.policy
    return this.#recent.keep(productId, { version, policy: await load(store, productId) }).policy
  }
}

async function load(store: Store, productId: string): Promise<ImaPolicy> {
  const stored = await store.imaPolicies.newest(productId)
  if (stored === undefined) throw new Error(`the policy of ${productId} is gone`)
  return compileImaPolicy(v.parse(ImaPolicyDocument, JSON.parse(stored.policy)))
}

/** Open findings that the list of this boot has led to. None are looked for where there cannot be any. */
export async function findStandingFindings(
  store: Store,
  deviceId: number,
  state: ImaState | null,
): Promise<readonly Deviation[]> {
  if (state === null) return []
  const { problems, aggregate, missing } = state.summary
  if (problems === 0 && aggregate !== 'refused' && missing === null) return []
  const open = await store.findings.openOf(deviceId)
  return open
    .filter(({ code, state: at }) => at === 'open' && isAboutList(code))
    .map(({ code, subject, before, after }) => ({ code, subject, before, after }))
}

const isAboutList = (code: Deviation['code']): boolean =>
  code.startsWith('ima.') || code === 'boot.ima-refused' || code === 'boot.list-missing'
