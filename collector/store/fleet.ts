import { sql } from 'kysely'
import type { FindingCode } from '../../shared/codes/findings.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { BootCoverage, Identity, Latch, Liveness, Verdict } from '../model/device.ts'
import { UNRESOLVED } from '../model/finding.ts'
import type { ImaVerdict } from '../model/ima-state.ts'
import type { Labels } from '../model/labels.ts'
import type { Executor } from './database.ts'
import { environmentFlags } from './device-labels.ts'
import { reportNumbers, type ReportNumbers } from './report-numbers.ts'
import { isStale, type StaleMoments } from './stale-moments.ts'

/** Moments, ms since 1970: whoever was seen last before them has passed a deadline. */
export interface FleetDeadlines extends StaleMoments {
  readonly silent: number
  /** Counted no more, by the agreed rule. */
  readonly retired: number
}

/** Devices of a product that are alike in everything that signals look at, and how many they are. */
export interface FleetGroup {
  readonly vendor: string
  readonly hardware: string
  readonly identity: Identity
  readonly bootCoverage: BootCoverage
  readonly verdict: Verdict
  readonly latch: Latch
  readonly imaVerdict: ImaVerdict | null
  readonly postureDigest: Uint8Array | null
  readonly releaseId: string | null
  readonly liveness: Liveness
  readonly retired: boolean
  /** Keys of those that were asked for, whose labels they have. */
  readonly environments: ReadonlySet<string>
  readonly count: number
}

export interface Bucket {
  /** What all of them have in common: a number of days, of hours. */
  readonly at: number
  readonly count: number
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

export type FleetRepository = ReturnType<typeof fleetRepository>

/** The fleet of a product in few rows: what it costs to look at grows with how different its devices are. */
export function fleetRepository(db: Executor) {
  const active = (productId: string) =>
    db
      .selectFrom('devices')
      .innerJoin('device_states', 'device_states.device_id', 'devices.id')
      .where('devices.product_id', '=', productId)
      .where('devices.enrolment', '=', 'active')

  const counted = (productId: string, { retired }: Pick<FleetDeadlines, 'retired'>) =>
    active(productId).where(
      ({ fn }) => fn.coalesce('device_states.last_fresh_at', 'devices.enrolled_at'),
      '>=',
      retired,
    )

  /** Unresolved findings of these codes on devices that count. */
  const withFinding = (productId: string, codes: readonly FindingCode[], deadlines: Pick<FleetDeadlines, 'retired'>) =>
    counted(productId, deadlines).where(({ exists, selectFrom }) =>
      exists(
        selectFrom('findings')
          .select('findings.id')
          .whereRef('findings.device_id', '=', 'devices.id')
          .where('findings.code', 'in', [...codes])
          .where('findings.state', 'in', [...UNRESOLVED]),
      ),
    )

  return {
    /** `environments`: told apart by whether they have the labels of each. */
    async groups(
      productId: string,
      { silent, retired, ...stale }: FleetDeadlines,
      environments: readonly Labels[] = [],
    ): Promise<readonly FleetGroup[]> {
      const flags = environmentFlags(db, environments)
      const rows = await active(productId)
        .select((eb) => [
          'devices.vendor',
          'devices.hardware_revision as hardware',
          'devices.identity',
          'device_states.boot_coverage as bootCoverage',
          'device_states.verdict',
          'device_states.latch',
          'device_states.ima_verdict as imaVerdict',
          'device_states.posture_digest as postureDigest',
          'device_states.release_id as releaseId',
          eb
            .case()
            .when('device_states.last_fresh_at', 'is', null)
            .then(sql.lit('never-seen'))
            .when('device_states.last_fresh_at', '<', silent)
            .then(sql.lit('silent'))
            .when(isStale(eb, stale))
            .then(sql.lit('stale'))
            .else(sql.lit('fresh'))
            .end()
            .as('seen_as'),
          eb
            .case()
            .when(eb.fn.coalesce('device_states.last_fresh_at', 'devices.enrolled_at'), '<', retired)
            .then(sql.lit(1))
            .else(sql.lit(0))
            .end()
            .as('is_retired'),
          eb.fn.countAll().as('count'),
        ])
        .select(flags.columns)
        .groupBy([
          'devices.vendor',
          'devices.hardware_revision',
          'devices.identity',
          'device_states.boot_coverage',
          'device_states.verdict',
          'device_states.latch',
          'device_states.ima_verdict',
          'device_states.posture_digest',
          'device_states.release_id',
          // Names that no table has: PostgreSQL takes a column of that name before what is selected as it.
          sql.ref('seen_as'),
          sql.ref('is_retired'),
          ...flags.names.map((name) => sql.ref(name)),
        ])
        .execute()
      return rows.map(({ seen_as: liveness, is_retired: isRetired, count, ...row }) => ({
        ...flags.taken(row),
        liveness: liveness as Liveness,
        retired: Number(isRetired) === 1,
        count: Number(count),
      }))
    },

    /** How many devices that count have an unresolved finding of one of these codes. */
    async devicesWithFinding(productId: string, codes: readonly FindingCode[], retired: number): Promise<number> {
      const row = await withFinding(productId, codes, { retired })
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
      return Number(row.count)
    },

    /** The first few of them, by their id. */
    async firstWithFinding(
      productId: string,
      codes: readonly FindingCode[],
      retired: number,
      limit: number,
    ): Promise<readonly Ueid[]> {
      const rows = await withFinding(productId, codes, { retired })
        .select('devices.ueid')
        .orderBy('devices.id')
        .limit(limit)
        .execute()
      return rows.map(({ ueid }) => ueid)
    },

    /** The first few active devices with one of these postures, releases, or of this liveness. */
    async firstWith(
      productId: string,
      what:
        | { readonly postures: readonly Uint8Array[] }
        | { readonly notReleases: readonly string[] }
        | { readonly stale: StaleMoments }
        | { readonly identity: readonly Identity[] }
        | { readonly notMatching: true },
      retired: number,
      limit: number,
    ): Promise<readonly Ueid[]> {
      let query = counted(productId, { retired }).select('devices.ueid').orderBy('devices.id').limit(limit)
      if ('postures' in what) query = query.where('device_states.posture_digest', 'in', [...what.postures])
      else if ('stale' in what) query = query.where((eb) => isStale(eb, what.stale))
      else if ('identity' in what) query = query.where('devices.identity', 'in', [...what.identity])
      else if ('notMatching' in what) {
        query = query.where((or) =>
          or.or([or('device_states.latch', '<>', 'none'), or('device_states.verdict', '=', 'contraindicated')]),
        )
      } else {
        query = query
          .where('device_states.last_fresh_at', 'is not', null)
          .where((or) =>
            or.or([
              or('device_states.release_id', 'is', null),
              ...(what.notReleases.length === 0
                ? [or('device_states.device_id', '>', 0)]
                : [or('device_states.release_id', 'not in', [...what.notReleases])]),
            ]),
          )
      }
      return (await query.execute()).map(({ ueid }) => ueid)
    },

    /** Devices that run one of these releases, by the day on which they began to. */
    async runningSince(productId: string, releases: readonly string[], retired: number): Promise<readonly Bucket[]> {
      if (releases.length === 0) return []
      const day = sql<number>`device_states.release_since / ${sql.lit(DAY_MS)}`
      const rows = await counted(productId, { retired })
        .where('device_states.release_id', 'in', [...releases])
        .where('device_states.release_since', 'is not', null)
        .select(({ fn }) => [day.as('at'), fn.countAll().as('count')])
        .groupBy(sql.ref('at'))
        .execute()
      return rows.map(({ at, count }) => ({ at: Math.floor(Number(at)), count: Number(count) }))
    },

    /** Client certificates by the day on which they expire. */
    async certificateExpiries(productId: string, retired: number): Promise<readonly Bucket[]> {
      const day = sql<number>`devices.certificate_not_after / ${sql.lit(DAY_MS)}`
      const rows = await counted(productId, { retired })
        .select(({ fn }) => [day.as('at'), fn.countAll().as('count')])
        .groupBy(sql.ref('at'))
        .execute()
      return rows.map(({ at, count }) => ({ at: Math.floor(Number(at)), count: Number(count) }))
    },

    /**
     * Findings that opened since, or are not resolved: by the hours that they lasted until they were resolved, or have
     * lasted by now.
     */
    async findingHours(
      productId: string,
      codes: readonly FindingCode[],
      since: number,
      now: number,
    ): Promise<readonly (Bucket & { readonly open: boolean })[]> {
      const hours = sql<number>`(coalesce(findings.resolved_at, ${sql.lit(now)}) - findings.opened_at) / ${sql.lit(HOUR_MS)}`
      const rows = await db
        .selectFrom('findings')
        .innerJoin('devices', 'devices.id', 'findings.device_id')
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '=', 'active')
        .where('findings.code', 'in', [...codes])
        .where('findings.state', '<>', 'suspected')
        .where((or) => or.or([or('findings.resolved_at', 'is', null), or('findings.opened_at', '>=', since)]))
        .select((eb) => [
          hours.as('at'),
          eb.case().when('findings.resolved_at', 'is', null).then(sql.lit(1)).else(sql.lit(0)).end().as('open'),
          eb.fn.countAll().as('count'),
        ])
        .groupBy([sql.ref('at'), sql.ref('open')])
        .execute()
      return rows.map(({ at, open, count }) => ({
        at: Math.max(0, Math.floor(Number(at))),
        open: Number(open) === 1,
        count: Number(count),
      }))
    },

    reportNumbers: (productId: string, since: number): Promise<ReportNumbers> => reportNumbers(db, productId, since),
  }
}
