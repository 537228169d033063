import { sql } from 'kysely'
import { FINAL_STATES } from '../../shared/decisions/cases/case.ts'
import type { Enrolment, Verdict } from '../model/device.ts'
import { UNRESOLVED } from '../model/finding.ts'
import type { Executor } from './database.ts'

/** The whole fleet in a few numbers. Axes are counted apart, never merged. */
export interface Summary {
  readonly devices: number
  readonly byEnrolment: ReadonlyMap<Enrolment, number>
  /** Of active devices: one that waits to be accepted counts for nothing yet. */
  readonly byVerdict: ReadonlyMap<Verdict, number>
  readonly unresolvedFindings: number
  readonly unclosedCases: number
  readonly newestFreshAt: number | null
}

export async function readSummary(db: Executor): Promise<Summary> {
  const enrolments = await db
    .selectFrom('devices')
    .select((select) => ['enrolment', select.fn.countAll().as('count')])
    .groupBy('enrolment')
    .execute()
  const verdicts = await db
    .selectFrom('devices')
    .innerJoin('device_states', 'device_states.device_id', 'devices.id')
    .select((select) => ['verdict', select.fn.countAll().as('count')])
    .where('enrolment', '=', 'active')
    .groupBy('verdict')
    .execute()
  const findings = await db
    .selectFrom('findings')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('state', 'in', UNRESOLVED)
    .executeTakeFirstOrThrow()
  const cases = await db
    .selectFrom('reassessment_cases')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('state', 'not in', FINAL_STATES)
    .executeTakeFirstOrThrow()
  const newest = await db
    .selectFrom('device_states')
    .select(sql<number | string | null>`max(last_fresh_at)`.as('at'))
    .executeTakeFirstOrThrow()
  const byEnrolment = new Map(enrolments.map((row) => [row.enrolment, Number(row.count)]))
  return {
    devices: [...byEnrolment.values()].reduce((sum, count) => sum + count, 0),
    byEnrolment,
    byVerdict: new Map(verdicts.map((row) => [row.verdict, Number(row.count)])),
    unresolvedFindings: Number(findings.count),
    unclosedCases: Number(cases.count),
    newestFreshAt: newest.at === null ? null : Number(newest.at),
  }
}
