import type { FindingCode } from '../../../shared/codes/findings.ts'
import type { AssuredUnits } from '../../../shared/maturity/conformity/caps.ts'
import {
  DAY_MS,
  dayOf,
  durationsOf,
  HOUR_MS,
  idle,
  shareOf,
  single,
  unmeasured,
  type Measurement,
} from '../../../shared/maturity/conformity/sample.ts'
import type { Objective } from '../../../shared/maturity/signals/definition.ts'
import { POSTURE_SIGNAL_IDS } from '../../../shared/maturity/signals/posture.ts'
import type { SignalId } from '../../../shared/maturity/signals.ts'
import { Rulings } from '../../advisories/rulings.ts'
import type { FleetSummary } from '../../model/practice.ts'
import type { Release } from '../../model/release.ts'
import type { SeenDeadlines } from '../../store/fleet-page.ts'
import type { FleetGroup } from '../../store/fleet.ts'
import type { Store } from '../../store/index.ts'
import { DEFAULT_DEVICE_CERTIFICATE_LIFETIME_MS } from '../../trust/device-certificates.ts'
import { unknownOutcomes, type Outcomes, type PostureOutcomes } from './posture-outcomes.ts'

/** A group of equal devices with what its posture says. */
export interface LookedAtGroup extends FleetGroup {
  readonly outcomes: Outcomes
  /** Its newest evidence is new enough to speak for the present. */
  readonly isCurrent: boolean
}

export interface Fleet {
  readonly productId: string
  readonly now: number
  readonly retiredBefore: number
  readonly deadlines: SeenDeadlines
  readonly summary: FleetSummary
  /** Without those that are retired. */
  readonly groups: readonly LookedAtGroup[]
  readonly releases: readonly Release[]
}

export const LISTENER_CODES: readonly FindingCode[] = ['sockets.listener-added', 'sockets.listener-changed']
export const CLONE_CODES: readonly FindingCode[] = ['identity.clone']
const TAMPER_CODES: readonly FindingCode[] = [
  'identity.tpm-cleared',
  'boot.secure-boot-changed',
  'tpm.attribute-changed',
]

const sum = (groups: readonly FleetGroup[]): number => groups.reduce((all, { count }) => all + count, 0)

/** Reads the fleet, and looks at each of its different postures once. */
export async function readFleet(
  store: Store,
  postures: PostureOutcomes,
  productId: string,
  deadlines: SeenDeadlines,
  now: number,
): Promise<Fleet> {
  const units = await store.practices.units(productId)
  const retiredBefore = now - (units?.retireAfterDays ?? DEFAULT_RETIRE_AFTER_DAYS) * DAY_MS
  const rulings = new Rulings(await store.productStatements.inForce(now, productId), now)
  const moments = { ...deadlines, retired: retiredBefore }
  const all = await store.fleet.groups(productId, moments, rulings.environments(productId))
  const today = new Date(now).toISOString().slice(0, 10)
  const groups: LookedAtGroup[] = []
  for (const group of all.filter(({ retired }) => !retired)) {
    const isCurrent = group.liveness === 'fresh' || group.liveness === 'stale'
    const { postureDigest: digest, vendor } = group
    const outcomes = isCurrent && digest !== null ? await postures.of(store, vendor, digest, today) : unknownOutcomes
    groups.push({ ...group, isCurrent, outcomes })
  }
  const declared = units?.declared ?? null
  const enrolled = sum(groups)
  const seen = (liveness: FleetGroup['liveness']): number => sum(groups.filter((each) => each.liveness === liveness))
  const isDeclared = declared !== null && declared >= enrolled
  const summary: FleetSummary = {
    denominator: isDeclared ? declared : enrolled,
    basis: isDeclared ? 'declared' : 'enrolled',
    declared,
    enrolled,
    fresh: seen('fresh'),
    stale: seen('stale'),
    silent: seen('silent'),
    neverSeen: seen('never-seen'),
    retired: sum(all.filter(({ retired }) => retired)),
  }
  const releases = await store.releases.ofProduct(productId)
  return { productId, now, retiredBefore, deadlines, summary, groups, releases }
}

export const DEFAULT_RETIRE_AFTER_DAYS = 365

/** How far the claims of the devices carry: of those that speak for the present. */
export function assuredUnits({ groups }: Fleet): readonly AssuredUnits[] {
  return groups
    .filter(({ isCurrent }) => isCurrent)
    .map(({ identity, bootCoverage, imaVerdict, count, ...group }) => ({
      identity,
      bootCoverage,
      matches: matches(group) === true,
      agentMeasured: imaVerdict === 'accepted',
      count,
    }))
}

/** undefined: nothing was approved that it could be compared with. */
export function matches({ verdict, latch }: Pick<FleetGroup, 'verdict' | 'latch'>): boolean | undefined {
  if (latch !== 'none' || verdict === 'contraindicated') return false
  return verdict === 'not-appraised' ? undefined : true
}

/** Releases that a device may run now. */
export function acceptedReleases({ releases, now }: Fleet): readonly Release[] {
  const minimum = Math.max(0, ...releases.map(({ isMinimum, order }) => (isMinimum ? (order ?? 0) : 0)))
  return releases.filter(({ state, acceptedUntil, order }) => {
    const isOpen = state === 'active' || (state === 'superseded' && acceptedUntil !== null && acceptedUntil > now)
    return isOpen && order !== null && order >= minimum
  })
}

type Measured = readonly (readonly [SignalId, Measurement])[]

/** Signals of units: each share is of the whole fleet, and what is not known of it is not good. */
export async function measureFleet(
  store: Store,
  fleet: Fleet,
  objective: (signal: SignalId) => Objective,
): Promise<ReadonlyMap<SignalId, Measurement>> {
  return new Map([
    ...postureSignals(fleet),
    ...livenessSignals(fleet),
    ...releaseSignals(fleet),
    ...identitySignals(fleet, await store.fleet.devicesWithFinding(fleet.productId, CLONE_CODES, fleet.retiredBefore)),
    ...(await certificateSignals(store, fleet, objective)),
    ...(await findingSignals(store, fleet, objective)),
  ])
}

/** Of units that speak for the present, by a question that some of them may have no answer to. */
function shareOfUnits({ groups, summary }: Fleet, ask: (group: LookedAtGroup) => boolean | undefined): Measurement {
  const answered = groups.filter(({ isCurrent }) => isCurrent).map((group) => [ask(group), group.count] as const)
  const count = (answer: boolean): number => answered.reduce((all, [is, units]) => all + (is === answer ? units : 0), 0)
  return shareOf(count(true), count(true) + count(false), summary.denominator)
}

function postureSignals(fleet: Fleet): Measured {
  return POSTURE_SIGNAL_IDS.map((id) => [
    id,
    shareOfUnits(fleet, ({ outcomes }) => (outcomes[id] === 'unknown' ? undefined : outcomes[id] === 'good')),
  ])
}

function livenessSignals(fleet: Fleet): Measured {
  const { fresh, stale, silent, denominator } = fleet.summary
  return [
    // Those that were never seen are not known; those that are not fresh any more are.
    ['monitoring.fresh-reports', shareOf(fresh, fresh + stale + silent, denominator)],
    [
      'configuration.inventory',
      shareOf(
        sum(fleet.groups.filter((each) => each.isCurrent && each.postureDigest !== null)),
        denominator,
        denominator,
      ),
    ],
    ['configuration.reference-match', shareOfUnits(fleet, matches)],
  ]
}

function releaseSignals(fleet: Fleet): Measured {
  const accepted = new Set(acceptedReleases(fleet).map(({ id }) => id))
  const newest = Math.max(0, ...fleet.releases.map(({ activatedAt }) => activatedAt ?? 0))
  return [
    [
      'patch.supported-release',
      accepted.size === 0
        ? { ...unmeasured, denominator: fleet.summary.denominator }
        : shareOfUnits(fleet, ({ releaseId }) => releaseId !== null && accepted.has(releaseId)),
    ],
    ['patch.release-age', single(newest === 0 ? null : Math.max(0, fleet.now - newest))],
  ]
}

function identitySignals({ groups, summary }: Fleet, clones: number): Measured {
  const { enrolled, denominator } = summary
  const by = (is: (group: FleetGroup) => boolean): number => sum(groups.filter(is))
  return [
    ['identity.enrolled', shareOf(enrolled, denominator, denominator)],
    ['identity.unique', shareOf(enrolled - clones, enrolled, denominator)],
    [
      'identity.hardware-bound',
      shareOf(
        by(({ identity }) => identity !== 'software'),
        enrolled,
        denominator,
      ),
    ],
    [
      'identity.endorsed',
      shareOf(
        by(({ identity }) => identity === 'tpm-endorsed'),
        enrolled,
        denominator,
      ),
    ],
  ]
}

async function certificateSignals(
  store: Store,
  { productId, retiredBefore, now, summary }: Fleet,
  objective: (signal: SignalId) => Objective,
): Promise<Measured> {
  const expiries = await store.fleet.certificateExpiries(productId, retiredBefore)
  const total = expiries.reduce((all, { count }) => all + count, 0)
  const valid = expiries.reduce((all, { at, count }) => all + (at >= dayOf(now) ? count : 0), 0)
  const ages = expiries.map(({ at, count }) => ({
    ms: Math.max(0, now - (at * DAY_MS - DEFAULT_DEVICE_CERTIFICATE_LIFETIME_MS)),
    weight: count,
    open: false,
  }))
  return [
    ['identity.certificate-valid', shareOf(valid, total, summary.denominator)],
    ['identity.certificate-age', durationsOf(ages, objective('identity.certificate-age').percentile ?? 100)],
  ]
}

const INTEGRITY_CODES: readonly FindingCode[] = [
  'boot.pcr-changed',
  'boot.firmware-changed',
  'boot.configuration-changed',
  'boot.secure-boot-changed',
  'boot.loader-changed',
  'boot.kernel-changed',
  'boot.initrd-changed',
  'boot.command-line-changed',
  'boot.event-changed',
  'boot.bank-changed',
  'boot.quote-refused',
  'boot.log-refused',
  'boot.ima-refused',
  'ima.file-unknown',
  'ima.digest-mismatch',
  'ima.signature-invalid',
  'ima.violation',
]

async function findingSignals(
  store: Store,
  fleet: Fleet,
  objective: (signal: SignalId) => Objective,
): Promise<Measured> {
  const { productId, retiredBefore, now } = fleet
  const lasting = async (
    signal: SignalId,
    codes: readonly FindingCode[],
  ): Promise<readonly [SignalId, Measurement]> => {
    const { windowDays, percentile = 100 } = objective(signal)
    const hours = await store.fleet.findingHours(productId, codes, now - windowDays * DAY_MS, now)
    // The end of the hour: never shorter than it was.
    const durations = hours.map(({ at, count, open }) => ({ ms: (at + 1) * HOUR_MS, weight: count, open }))
    return [signal, durations.length === 0 ? idle : durationsOf(durations, percentile)]
  }
  const compared = shareOfUnits(fleet, ({ verdict }) => (verdict === 'not-appraised' ? undefined : true))
  const open = await store.fleet.devicesWithFinding(productId, LISTENER_CODES, retiredBefore)
  const known = Math.max(compared.known, open)
  return [
    ['access.expected-listeners', shareOf(known - open, known, compared.denominator)],
    await lasting('access.listener-clearance', LISTENER_CODES),
    await lasting('configuration.mismatch-closure', INTEGRITY_CODES),
    await lasting('physical.tamper-review', TAMPER_CODES),
    ['monitoring.unbroken-reports', await unbroken(store, fleet, objective('monitoring.unbroken-reports'))],
  ]
}

async function unbroken(store: Store, { productId, now }: Fleet, { windowDays }: Objective): Promise<Measurement> {
  // What a restore of the database has lost is no loss of a gateway's.
  const { held, missing } = await store.fleet.reportNumbers(productId, now - windowDays * DAY_MS)
  return held === 0 ? unmeasured : shareOf(held, held + missing)
}
