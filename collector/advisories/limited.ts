import type { ConditionState } from '../../shared/maturity/conformity/conditions.ts'
import type { Store } from '../store/index.ts'
import { isUnpatched } from '../tracking/practices/unpatched.ts'

type Limitation = Extract<ConditionState, { readonly kind: 'limitation' }>

/** The limitation by which a device of this hardware goes without the fixes of these packages; undefined: by none. */
export type LimitedBy = (hardware: string, packages: readonly string[]) => string | undefined

/** As the newest evaluation of the product has them: where the compensation is not shown to work nobody is excused. */
export async function limitationsOf(store: Store, productId: string): Promise<LimitedBy> {
  const { conditions = [] } = (await store.practices.evaluation(productId)) ?? {}
  const covered = conditions.filter(
    (each): each is Limitation & { readonly unpatched: NonNullable<Limitation['unpatched']> } =>
      each.kind === 'limitation' && each.state === 'covered' && each.unpatched !== undefined,
  )
  return (hardware, packages) => covered.find(({ unpatched }) => isUnpatched(unpatched, hardware, packages))?.id
}
