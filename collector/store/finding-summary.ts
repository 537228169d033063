import { setImmediate as breathe } from 'node:timers/promises'
import { sql } from 'kysely'
import type { FindingCode } from '../../shared/codes/findings.ts'
import { UNRESOLVED } from '../model/finding.ts'
import type { Executor } from './database.ts'
import { exceptionsOver } from './finding-exceptions.ts'

/** The same on so many devices of one release. `releaseId` null: on those that conform to none. */
export interface FindingGroup {
  readonly releaseId: string | null
  readonly code: FindingCode
  readonly subject: string
  /** What is there; null also where it is not asked for. */
  readonly value: string | null
  devices: number
  /** Of them: by an exception, and by a person for a time. */
  suppressed: number
  acknowledged: number
}

export interface FindingSummary {
  /** Active devices of each release: what the numbers are parts of. */
  readonly devices: ReadonlyMap<string | null, number>
  readonly groups: readonly FindingGroup[]
}

export interface SummaryRequest {
  readonly productId: string
  readonly now: number
  /** Tell values of one subject apart. */
  readonly byValue: boolean
}

/** Device ids that one statement looks at: whoever waits for the database waits no longer than that takes. */
const SLICE = 20_000

/**
 * Counts the unresolved findings of the active devices of a product. Nothing is kept for it, so that no report pays for
 * it; slice by slice, through the index of unresolved findings. A device that changes meanwhile is counted as it was
 * when its slice came by.
 */
export async function summarizeFindings(db: Executor, request: SummaryRequest): Promise<FindingSummary> {
  const { first, last } = await db
    .selectFrom('devices')
    .select(({ fn }) => [fn.min('id').as('first'), fn.max('id').as('last')])
    .where('product_id', '=', request.productId)
    .executeTakeFirstOrThrow()
  const devices = new Map<string | null, number>()
  const groups = new Map<string, FindingGroup>()
  // Neither where the product has no device.
  const end = Number(last ?? -1)
  for (let from = Number(first ?? 0); from <= end; from += SLICE) {
    await countDevices(db, request, from, devices)
    await countFindings(db, request, from, groups)
    await breathe()
  }
  return { devices, groups: [...groups.values()].sort(byDevices) }
}

const byDevices = (a: FindingGroup, b: FindingGroup): number =>
  b.devices - a.devices || (`${a.code} ${a.subject}` < `${b.code} ${b.subject}` ? -1 : 1)

async function countDevices(
  db: Executor,
  { productId }: SummaryRequest,
  from: number,
  devices: Map<string | null, number>,
): Promise<void> {
  const rows = await db
    .selectFrom('devices')
    .innerJoin('device_states', 'device_states.device_id', 'devices.id')
    .select(({ fn }) => ['device_states.release_id', fn.countAll().as('count')])
    .where('devices.product_id', '=', productId)
    .where('devices.enrolment', '=', 'active')
    .where('devices.id', '>=', from)
    .where('devices.id', '<', from + SLICE)
    .groupBy('device_states.release_id')
    .execute()
  for (const { release_id: id, count } of rows) devices.set(id, (devices.get(id) ?? 0) + Number(count))
}

async function countFindings(
  db: Executor,
  { productId, now, byValue }: SummaryRequest,
  from: number,
  groups: Map<string, FindingGroup>,
): Promise<void> {
  const value = byValue ? sql<string | null>`${sql.ref('findings.value_after')}` : sql<string | null>`null`
  const isSuppressed = exceptionsOver(db, now).select(({ fn }) => fn.min('finding_exceptions.id').as('id'))
  const rows = await db
    .selectFrom(
      db
        .selectFrom('findings')
        .innerJoin('devices', 'devices.id', 'findings.device_id')
        .innerJoin('device_states', 'device_states.device_id', 'devices.id')
        .select(['findings.code', 'findings.subject', 'findings.acknowledged_until', 'device_states.release_id'])
        .select([value.as('value'), isSuppressed.as('exception')])
        .where('findings.state', '<>', 'resolved')
        .where('findings.state', 'in', UNRESOLVED)
        .where('findings.device_id', '>=', from)
        .where('findings.device_id', '<', from + SLICE)
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '=', 'active')
        .as('each'),
    )
    .select(['code', 'subject', 'release_id', 'value'])
    .select(({ fn }) => [
      fn.countAll().as('devices'),
      fn.count('exception').as('suppressed'),
      sql<number>`sum(case when acknowledged_until > ${now} then 1 else 0 end)`.as('acknowledged'),
    ])
    .groupBy(['code', 'subject', 'release_id', 'value'])
    .execute()
  for (const { code, subject, release_id: releaseId, value: seen, ...counts } of rows) {
    const name = JSON.stringify([code, subject, releaseId, seen])
    const group = groups.get(name) ?? {
      releaseId,
      code,
      subject,
      value: seen,
      devices: 0,
      suppressed: 0,
      acknowledged: 0,
    }
    group.devices += Number(counts.devices)
    group.suppressed += Number(counts.suppressed)
    group.acknowledged += Number(counts.acknowledged)
    groups.set(name, group)
  }
}
