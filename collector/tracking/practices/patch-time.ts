import {
  DAY_MS,
  dayOf,
  durationsOf,
  type Duration,
  type Measurement,
} from '../../../shared/maturity/conformity/sample.ts'
import type { Advisory } from '../../../shared/maturity/events/advisories.ts'
import type { AdvisorySeverity, Fix } from '../../../shared/maturity/events/kinds.ts'
import type { Objective } from '../../../shared/maturity/signals/definition.ts'
import type { SignalId } from '../../../shared/maturity/signals.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'
import { compareVersions } from '../../../shared/versions/compare.ts'
import type { FleetAdvisory } from '../../advisories/track.ts'
import type { Store } from '../../store/index.ts'
import type { Fleet, LookedAtGroup } from './fleet-signals.ts'
import { UnpatchedUnits, type UnpatchedLimit } from './unpatched.ts'
import type { PostureOutcomes } from './posture-outcomes.ts'

/** How many units began to run a fix on which day (since 1970). */
type Days = ReadonlyMap<number, number>

const SIGNALS: readonly (readonly [SignalId, AdvisorySeverity])[] = [
  ['patch.critical-time', 'critical'],
  ['patch.high-time', 'high'],
  ['patch.medium-time', 'medium'],
]

/** What people recorded, or what devices were seen with: there each group of them is known to be fixed or not. */
export type WatchedAdvisory = Pick<Advisory, 'advisory' | 'severity' | 'publishedAt' | 'fixes'> & {
  readonly stateOf?: FleetAdvisory['stateOf']
  readonly packagesOf?: FleetAdvisory['packagesOf']
}

/** What a person has recorded counts as he says: he knows releases, and dates from before. */
export function watchedAdvisories(
  recorded: readonly Advisory[],
  tracked: readonly FleetAdvisory[],
): readonly WatchedAdvisory[] {
  const names = new Set(recorded.map(({ advisory }) => advisory))
  const own = tracked.filter(({ advisory }) => !names.has(advisory))
  return [...recorded, ...own.map((each) => ({ ...each, fixes: [] }))]
}

/**
 * From each advisory's publication to each unit that runs a fix of it. Units that run none yet count with the time that
 * has passed: they are never left out. What an evaluation has seen is kept, since a unit that goes on to the next release
 * would otherwise seem to have got the fix with that one.
 */
export async function measurePatchTimes(
  store: Store,
  fleet: Fleet,
  advisories: readonly WatchedAdvisory[],
  postures: PostureOutcomes,
  objective: (signal: SignalId) => Objective,
  limits: readonly UnpatchedLimit[] = [],
): Promise<{ readonly measured: ReadonlyMap<SignalId, Measurement>; readonly unpatched: UnpatchedUnits }> {
  const unpatched = new UnpatchedUnits(limits)
  const kept = await store.practices.progress(fleet.productId)
  const measured = new Map<SignalId, Measurement>()
  for (const [signal, severity] of SIGNALS) {
    const { windowDays, percentile = 100 } = objective(signal)
    const durations: Duration[] = []
    let apart = 0
    for (const advisory of advisories.filter((each) => each.severity === severity)) {
      const now = await unitsOf(store, fleet, advisory, postures, unpatched)
      const before = kept.get(advisory.advisory) ?? new Map<number, number>()
      const days = merged(before, now.days, dayOf(fleet.now))
      if (!equal(before, days)) await store.practices.saveProgress(fleet.productId, advisory.advisory, days)
      apart += now.apart
      const isRecent = advisory.publishedAt > fleet.now - windowDays * DAY_MS
      if (isRecent || now.open > 0) durations.push(...durationsSince(advisory.publishedAt, days, now, fleet.now))
    }
    measured.set(signal, { ...durationsOf(durations, percentile), ...(apart > 0 && { apart }) })
  }
  // Those that no signal is about wait too.
  for (const advisory of advisories.filter((each) => !SIGNALS.some(([, severity]) => severity === each.severity))) {
    await unitsOf(store, fleet, advisory, postures, unpatched)
  }
  return { measured, unpatched }
}

interface FixedUnits {
  readonly fixed: number
  readonly open: number
  /** Without the fix by a limitation of the profile. */
  readonly apart: number
  readonly days: Days
}

async function unitsOf(
  store: Store,
  fleet: Fleet,
  advisory: WatchedAdvisory,
  postures: PostureOutcomes,
  unpatched: UnpatchedUnits,
): Promise<FixedUnits> {
  const { fixes, stateOf, packagesOf } = advisory
  const releases = new Set(fixes.flatMap((fix) => ('release' in fix ? releasesFrom(fleet, fix.release) : [])))
  let [fixed, open, undated, apart] = [0, 0, 0, 0]
  for (const group of fleet.groups.filter(({ liveness }) => liveness !== 'never-seen')) {
    if (group.releaseId !== null && releases.has(group.releaseId)) {
      fixed += group.count
      continue
    }
    const state = stateOf === undefined ? await packageState(store, group, fixes, postures) : stateOf(group)
    if (state === 'fixed') undated += group.count
    else if (state === 'open') {
      const packages = packagesOf?.(group) ?? fixes.flatMap((fix) => ('package' in fix ? [fix.package] : []))
      if (unpatched.takes(advisory, group, packages)) apart += group.count
      else open += group.count
    }
  }
  const days = new Map<number, number>()
  let dated = 0
  for (const { at, count } of await store.fleet.runningSince(fleet.productId, [...releases], fleet.retiredBefore)) {
    days.set(at, count)
    dated += count
  }
  const today = dayOf(fleet.now)
  // Since when a package is there nobody tells: by now at the latest. The same of a release without a date.
  undated += Math.max(0, fixed - dated)
  if (undated > 0) days.set(today, (days.get(today) ?? 0) + undated)
  return { fixed: dated + undated, open, apart, days }
}

/** The release of that name and all that were put in force after it. */
function releasesFrom({ releases }: Fleet, name: string): readonly string[] {
  const first = releases.find((release) => release.name === name)?.order
  if (first === undefined || first === null) return []
  return releases
    .filter(({ order, state }) => order !== null && order >= first && state !== 'revoked')
    .map(({ id }) => id)
}

/** `unaffected`: a whole list without the package, and no release that would be needed. */
async function packageState(
  store: Store,
  { vendor, postureDigest }: LookedAtGroup,
  fixes: readonly Fix[],
  postures: PostureOutcomes,
): Promise<'fixed' | 'open' | 'unaffected'> {
  const wanted = fixes.flatMap((fix) => ('package' in fix ? [fix] : []))
  if (wanted.length === 0 || postureDigest === null) return 'open'
  const content = await postures.packages(store, vendor, postureDigest)
  if (content === null) return 'open'
  const found = wanted.map((fix) => installed(content, fix))
  if (found.every((state) => state === 'absent')) {
    const isWhole = content.total === content.packages.length && content.malformed === 0 && !content.incomplete
    return isWhole && wanted.length === fixes.length ? 'unaffected' : 'open'
  }
  return found.some((state) => state === 'older') ? 'open' : 'fixed'
}

function installed(
  { manager, packages }: PackagesContent,
  fix: { readonly package: string; readonly version: string },
): 'absent' | 'older' | 'fixed' {
  const scheme = manager === 'rpm' ? 'rpm' : manager === 'apk' ? 'apk' : 'dpkg'
  const versions = packages.flatMap((each) => {
    if (each.name === fix.package) return [each.version]
    return each.source === fix.package ? [each.sourceVersion ?? each.version] : []
  })
  if (versions.length === 0) return 'absent'
  const isFixed = versions.every((version) =>
    ['equal', 'newer'].includes(compareVersions(scheme, version, fix.version)),
  )
  return isFixed ? 'fixed' : 'older'
}

/**
 * By each day at least as many as either knows: what is seen now lacks units that have gone on to later releases, what was
 * kept lacks those that came since.
 */
export function merged(before: Days, now: Days, today: number): Days {
  const days = [...new Set([...before.keys(), ...now.keys()])].filter((day) => day <= today).sort((a, b) => a - b)
  const result = new Map<number, number>()
  let [byBefore, byNow, counted] = [0, 0, 0]
  for (const day of days) {
    byBefore += before.get(day) ?? 0
    byNow += now.get(day) ?? 0
    const most = Math.max(byBefore, byNow)
    if (most > counted) result.set(day, most - counted)
    counted = Math.max(counted, most)
  }
  return result
}

const equal = (a: Days, b: Days): boolean => a.size === b.size && [...a].every(([day, units]) => b.get(day) === units)

/** To the end of the day, so that nothing looks faster than it was; those that run the fix now, spread as they came. */
function durationsSince(
  publishedAt: number,
  days: Days,
  { fixed, open }: FixedUnits,
  now: number,
): readonly Duration[] {
  const total = [...days.values()].reduce((sum, units) => sum + units, 0)
  const spread = [...days].map(([day, units]) => ({
    ms: Math.max(0, Math.min((day + 1) * DAY_MS, now) - publishedAt),
    weight: total === 0 ? 0 : (units * fixed) / total,
    open: false,
  }))
  return [...spread, { ms: Math.max(0, now - publishedAt), weight: open, open: true }]
}
