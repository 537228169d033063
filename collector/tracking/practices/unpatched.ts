import type { ConditionState, Unpatched } from '../../../shared/maturity/conformity/conditions.ts'
import type { ProfileDocument, UnpatchedScope } from '../../../shared/maturity/profile.ts'
import type { LookedAtGroup } from './fleet-signals.ts'

/** A limitation of a profile in force that leaves devices without fixes. */
export interface UnpatchedLimit extends UnpatchedScope {
  readonly profile: string
  readonly version: number
  readonly id: string
}

/** Advisories of one limitation that are kept to be shown. */
const SHOWN = 50

const keyOf = ({ profile, version, id }: Pick<UnpatchedLimit, 'profile' | 'version' | 'id'>): string =>
  `${profile}\n${version}\n${id}`

/**
 * Limitations under which devices are counted apart: those of the profiles in force whose compensation the evaluation
 * before has shown to work. Nobody is counted apart on a promise.
 */
export function limitsOf(
  profiles: readonly ProfileDocument[],
  before: readonly ConditionState[],
): readonly UnpatchedLimit[] {
  const covered = new Set(
    before.flatMap(({ kind, state, id, profile }) =>
      kind === 'limitation' && state === 'covered'
        ? [keyOf({ profile: profile.id, version: profile.version, id })]
        : [],
    ),
  )
  return profiles
    .flatMap(({ id: profile, version, limitations }) =>
      limitations.flatMap(({ id, unpatched }) =>
        unpatched === undefined ? [] : [{ profile, version, id, ...unpatched }],
      ),
    )
    .filter((limit) => covered.has(keyOf(limit)))
}

/** Whether a device of this hardware goes without the fixes of all of these packages. Of unknown packages it does not. */
export function isUnpatched(scope: UnpatchedScope, hardware: string, packages: readonly string[]): boolean {
  if (scope.hardware.length > 0 && !scope.hardware.includes(hardware)) return false
  if (scope.packages.length === 0) return true
  return packages.length > 0 && packages.every((name) => scope.packages.includes(name))
}

/** Takes note of the units that wait for no fix, by the first limitation that is about them. */
export class UnpatchedUnits {
  readonly #limits: readonly UnpatchedLimit[]
  readonly #units = new Map<string, Map<string, { units: number; publishedAt: number }>>()
  readonly #groups = new Map<string, Map<LookedAtGroup, number>>()

  constructor(limits: readonly UnpatchedLimit[]) {
    this.#limits = limits
  }

  /** True where a limitation is about them: then they are counted there. */
  takes(
    { advisory, publishedAt }: { readonly advisory: string; readonly publishedAt: number },
    group: LookedAtGroup,
    packages: readonly string[],
  ): boolean {
    const limit = this.#limits.find((each) => isUnpatched(each, group.hardware, packages))
    if (limit === undefined) return false
    const key = keyOf(limit)
    const advisories = this.#units.get(key) ?? new Map<string, { units: number; publishedAt: number }>()
    this.#units.set(key, advisories)
    advisories.set(advisory, { units: (advisories.get(advisory)?.units ?? 0) + group.count, publishedAt })
    const groups = this.#groups.get(key) ?? new Map<LookedAtGroup, number>()
    this.#groups.set(key, groups.set(group, group.count))
    return true
  }

  /** Of one limitation: how many units, each once, and for what they wait. */
  of(profile: { readonly id: string; readonly version: number }, id: string): Omit<Unpatched, keyof UnpatchedScope> {
    const key = keyOf({ profile: profile.id, version: profile.version, id })
    const advisories = [...(this.#units.get(key) ?? [])].map(([advisory, of]) => ({ advisory, ...of }))
    const units = [...(this.#groups.get(key)?.values() ?? [])].reduce((sum, count) => sum + count, 0)
    return { units, advisories: advisories.toSorted((a, b) => a.publishedAt - b.publishedAt).slice(0, SHOWN) }
  }
}
