import { sql, type ExpressionBuilder } from 'kysely'
import type { FindingCode, Severity } from '../../shared/codes/findings.ts'
import type { FindingState } from '../model/finding.ts'
import type { Executor } from './database.ts'
import type { Database } from './schema.ts'

/** Findings of one code and state, and on how many devices. */
export interface FindingGroup {
  readonly code: FindingCode
  readonly state: FindingState
  /** As the product sees it, or else as it was recorded. */
  readonly severity: Severity
  readonly findings: number
  readonly units: number
  readonly acknowledged: number
}

/** Active devices of a product that are alike in everything that says whether a certificate covers them. */
export interface CoverageGroup {
  readonly hardwareRevision: string
  /** null: none explains what they report. */
  readonly releaseId: string | null
  /** Their evidence fails, or failed and nobody has acknowledged it. */
  readonly isFailing: boolean
  readonly count: number
}

export type ReportingRepository = ReturnType<typeof reportingRepository>

/** What reports ask of a product: in rows as many as there are differences, not as there are devices. */
export function reportingRepository(db: Executor) {
  /** Findings that stood at some time from `from` to `to`, both ms since 1970. */
  const standing = (productId: string, from: number, to: number) =>
    db
      .selectFrom('findings')
      .innerJoin('devices', 'devices.id', 'findings.device_id')
      .where('devices.product_id', '=', productId)
      .where('findings.state', '<>', 'suspected')
      .where('findings.opened_at', '<=', to)
      .where((or) => or.or([or('findings.resolved_at', 'is', null), or('findings.resolved_at', '>=', from)]))

  return {
    async findingGroups(productId: string, from: number, to: number): Promise<readonly FindingGroup[]> {
      const rows = await standing(productId, from, to)
        .leftJoin('finding_policies', (join) =>
          join
            .onRef('finding_policies.product_id', '=', 'devices.product_id')
            .onRef('finding_policies.code', '=', 'findings.code'),
        )
        .select(({ fn }) => [
          'findings.code',
          'findings.state',
          fn.coalesce('finding_policies.severity', 'findings.severity').as('toldSeverity'),
          fn.countAll().as('findings'),
          fn.count('findings.device_id').distinct().as('units'),
          fn.count('findings.acknowledged_at').as('acknowledged'),
        ])
        .groupBy(['findings.code', 'findings.state', sql.ref('toldSeverity')])
        .orderBy('findings.code')
        .orderBy('findings.state')
        .execute()
      return rows.map(({ code, state, toldSeverity, findings, units, acknowledged }) => ({
        code,
        state,
        severity: toldSeverity,
        findings: Number(findings),
        units: Number(units),
        acknowledged: Number(acknowledged),
      }))
    },

    /** The evidence that opened them, by code; oldest finding first. */
    async findingEvidence(
      productId: string,
      from: number,
      to: number,
      limit: number,
    ): Promise<readonly { readonly code: FindingCode; readonly evidenceHash: Uint8Array }[]> {
      return standing(productId, from, to)
        .select(['findings.code', 'findings.evidence_hash as evidenceHash'])
        .orderBy('findings.id')
        .limit(limit)
        .execute()
    },

    async coverageGroups(productId: string): Promise<readonly CoverageGroup[]> {
      const rows = await db
        .selectFrom('devices')
        .innerJoin('device_states', 'device_states.device_id', 'devices.id')
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '=', 'active')
        .select((eb) => [
          'devices.hardware_revision as hardwareRevision',
          'device_states.release_id as releaseId',
          eb.case().when(isFailing(eb)).then(sql.lit(1)).else(sql.lit(0)).end().as('is_failing'),
          eb.fn.countAll().as('count'),
        ])
        .groupBy(['devices.hardware_revision', 'device_states.release_id', sql.ref('is_failing')])
        .execute()
      return rows.map(({ hardwareRevision, releaseId, is_failing: failing, count }) => ({
        hardwareRevision,
        releaseId,
        isFailing: Number(failing) === 1,
        count: Number(count),
      }))
    },
  }
}

/** What takes the coverage from a unit, whatever its certificate says. */
export const isFailing = (eb: ExpressionBuilder<Pick<Database, 'device_states'>, 'device_states'>) =>
  eb.or([eb('device_states.latch', '<>', 'none'), eb('device_states.verdict', '=', 'contraindicated')])
