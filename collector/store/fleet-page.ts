import { sql, type ExpressionBuilder } from 'kysely'
import type { Identity } from '../model/device.ts'
import type { TransitionAxis } from '../model/transition.ts'
import type { DeviceStanding } from '../../shared/result/standing.ts'
import { DEVICE_STANDINGS } from '../../shared/result/standing.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Executor } from './database.ts'
import type { Database } from './schema.ts'
import { isStale, type StaleMoments } from './stale-moments.ts'

/** Moments, ms since 1970: whoever was seen last before them has passed a deadline. */
export interface SeenDeadlines extends StaleMoments {
  readonly silent: number
}

/** Devices that are alike in what the first page tells of them, and how many they are. */
export interface StandingGroup extends CoverageGroup {
  readonly identity: Identity
  readonly standing: DeviceStanding
  readonly count: number
}

/** What the coverage of a device depends on, beside whether it fails. */
export interface CoverageGroup {
  readonly productId: string
  readonly vendor: string
  readonly model: string
  readonly hardwareRevision: string
  readonly releaseId: string | null
}

export interface FleetListFilter {
  readonly standing?: DeviceStanding | undefined
  readonly productId?: string | undefined
  readonly releaseId?: string | undefined
  /** Part of the serial number, of the model or of the device id. */
  readonly text?: string | undefined
  /** Devices that are, or are not, one of these and do not fail. */
  readonly coverage?: { readonly covered: boolean; readonly groups: readonly CoverageGroup[] } | undefined
}

export interface FleetChange {
  readonly ueid: Ueid
  readonly model: string
  readonly serial: string
  readonly at: number
  readonly axis: TransitionAxis
  readonly from: string | null
  readonly to: string
  readonly cause: string | null
}

type Joined = ExpressionBuilder<Database, 'devices' | 'device_states'>

export type FleetPageRepository = ReturnType<typeof fleetPageRepository>

/** The whole fleet as its first page shows it: grouped, and listed by what needs an act. */
export function fleetPageRepository(db: Executor) {
  const joined = () => db.selectFrom('devices').innerJoin('device_states', 'device_states.device_id', 'devices.id')

  const filtered = (filter: FleetListFilter, deadlines: SeenDeadlines) => {
    const { standing, productId, releaseId, text, coverage } = filter
    let query = joined()
    if (standing !== undefined) query = query.where((eb) => eb(standingOf(eb, deadlines), '=', rankOf(standing)))
    else query = query.where('devices.enrolment', '<>', 'revoked')
    if (productId !== undefined) query = query.where('devices.product_id', '=', productId)
    if (releaseId !== undefined) query = query.where('device_states.release_id', '=', releaseId)
    if (text !== undefined && text !== '') {
      const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, (character) => `\\${character}`)}%`
      query = query.where((eb) =>
        eb.or(
          (['devices.serial', 'devices.ueid', 'devices.model'] as const).map(
            (column) => sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`,
          ),
        ),
      )
    }
    if (coverage !== undefined) {
      const { covered, groups } = coverage
      query = query.where((eb) => (covered ? isOneOf(eb, groups) : eb.not(isOneOf(eb, groups))))
    }
    return query
  }

  return {
    async groups(deadlines: SeenDeadlines): Promise<readonly StandingGroup[]> {
      const rows = await joined()
        .select((eb) => [
          'devices.product_id as productId',
          'devices.vendor',
          'devices.model',
          'devices.hardware_revision as hardwareRevision',
          'devices.identity',
          'device_states.release_id as releaseId',
          standingOf(eb, deadlines).as('stands_as'),
          eb.fn.countAll().as('count'),
        ])
        .groupBy([
          'devices.product_id',
          'devices.vendor',
          'devices.model',
          'devices.hardware_revision',
          'devices.identity',
          'device_states.release_id',
          sql.ref('stands_as'),
        ])
        .execute()
      return rows.map(({ stands_as: rank, count, ...row }) => ({
        ...row,
        standing: DEVICE_STANDINGS[Number(rank)] ?? 'not-appraised',
        count: Number(count),
      }))
    },

    async count(filter: FleetListFilter, deadlines: SeenDeadlines): Promise<number> {
      if (Object.values(filter).every((each) => each === undefined || each === '')) return countAll(db)
      const row = await filtered(filter, deadlines)
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
      return Number(row.count)
    },

    /** What needs an act first, then the last enrolled first. */
    async ueids(
      filter: FleetListFilter,
      deadlines: SeenDeadlines,
      { offset, limit }: { readonly offset: number; readonly limit: number },
    ): Promise<readonly Ueid[]> {
      const rows = await filtered(filter, deadlines)
        .select((eb) => ['devices.ueid', standingOf(eb, deadlines).as('stands_as')])
        .orderBy(sql.ref('stands_as'))
        .orderBy('devices.id', 'desc')
        .offset(offset)
        .limit(limit)
        .execute()
      return rows.map(({ ueid }) => ueid)
    },

    /** What became of devices since then, newest first. */
    async changes(since: number, limit: number): Promise<readonly FleetChange[]> {
      return db
        .selectFrom('device_transitions')
        .innerJoin('devices', 'devices.id', 'device_transitions.device_id')
        .where('device_transitions.at', '>=', since)
        .select([
          'devices.ueid',
          'devices.model',
          'devices.serial',
          'device_transitions.at',
          'device_transitions.axis',
          'device_transitions.from_value as from',
          'device_transitions.to_value as to',
          'device_transitions.cause',
        ])
        .orderBy('device_transitions.at', 'desc')
        .orderBy('device_transitions.id', 'desc')
        .limit(limit)
        .execute()
    },

    /** On which day (number of days since 1970) the devices that conform to a release now have come to it, in order. */
    async arrivals(releaseId: string): Promise<readonly { readonly day: number; readonly count: number }[]> {
      const day = sql<number>`release_since / 86400000`
      const rows = await joined()
        .select(({ fn }) => [day.as('day'), fn.countAll<number>().as('count')])
        .where('device_states.release_id', '=', releaseId)
        .where('device_states.release_since', 'is not', null)
        .where('devices.enrolment', '=', 'active')
        .groupBy(day)
        .orderBy('day')
        .execute()
      return rows.map((row) => ({ day: Number(row.day), count: Number(row.count) }))
    },

    /** The number of the newest change, and the devices of those after `last`, a few at most. */
    async changedAfter(last: number | null, limit: number): Promise<{ readonly last: number; readonly ueids: Ueid[] }> {
      let query = db
        .selectFrom('device_transitions')
        .innerJoin('devices', 'devices.id', 'device_transitions.device_id')
        .select(['device_transitions.id', 'devices.ueid'])
        .orderBy('device_transitions.id', 'desc')
        .limit(last === null ? 1 : limit)
      if (last !== null) query = query.where('device_transitions.id', '>', last)
      const rows = await query.execute()
      const newest = rows[0]?.id ?? last ?? 0
      return { last: newest, ueids: last === null ? [] : [...new Set(rows.map(({ ueid }) => ueid))] }
    },
  }
}

/** The whole list needs no look at how each of its devices stands. */
async function countAll(db: Executor): Promise<number> {
  const row = await db
    .selectFrom('devices')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('enrolment', '<>', 'revoked')
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

const rankOf = (standing: DeviceStanding): number => DEVICE_STANDINGS.indexOf(standing)

/** Place in DEVICE_STANDINGS. The first that holds: silence never hides a failure. */
function standingOf(eb: Joined, { silent, ...stale }: SeenDeadlines) {
  const rank = (standing: DeviceStanding) => sql.lit(rankOf(standing))
  return eb
    .case()
    .when('devices.enrolment', '=', 'revoked')
    .then(rank('revoked'))
    .when('devices.enrolment', '=', 'pending')
    .then(rank('pending'))
    .when(eb.or([eb('device_states.latch', '<>', 'none'), eb('device_states.verdict', '=', 'contraindicated')]))
    .then(rank('failed'))
    .when('device_states.last_fresh_at', 'is', null)
    .then(rank('never-seen'))
    .when('device_states.last_fresh_at', '<', silent)
    .then(rank('silent'))
    .when('device_states.verdict', '=', 'warning')
    .then(rank('drifted'))
    .when('device_states.verdict', '=', 'not-appraised')
    .then(rank('not-appraised'))
    .when(isStale(eb, stale))
    .then(rank('stale'))
    .else(rank('good'))
    .end()
}

/** Whatever fails is covered by nothing, and neither is what takes no part. */
function isOneOf(eb: Joined, groups: readonly CoverageGroup[]) {
  if (groups.length === 0) return eb('devices.id', '<', 0)
  return eb.and([
    eb('devices.enrolment', '=', 'active'),
    eb('device_states.latch', '=', 'none'),
    eb('device_states.verdict', '<>', 'contraindicated'),
    eb.or(
      groups.map(({ productId, hardwareRevision, releaseId }) =>
        eb.and([
          eb('devices.product_id', '=', productId),
          eb('devices.hardware_revision', '=', hardwareRevision),
          // Not null first: what is compared with null is neither true nor false, and `not` of that is neither.
          releaseId === null
            ? eb('device_states.release_id', 'is', null)
            : eb.and([eb('device_states.release_id', 'is not', null), eb('device_states.release_id', '=', releaseId)]),
        ]),
      ),
    ),
  ])
}
