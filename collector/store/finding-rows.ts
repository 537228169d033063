import type { Insertable, Selectable } from 'kysely'
import type { Severity } from '../../shared/codes/findings.ts'
import type { Acknowledgement, Finding } from '../model/finding.ts'
import type { FindingsTable } from './schema-findings.ts'

/** A row of findings, and what its product says about the severity of such. */
export type FindingRow = Selectable<FindingsTable> & { readonly product_severity: Severity | null }

export function toFinding(row: FindingRow): Finding {
  const { hysteresis_recent: recent, hysteresis_good: good } = row
  return {
    id: row.id,
    deviceId: row.device_id,
    code: row.code,
    subject: row.subject,
    before: row.value_before,
    after: row.value_after,
    severity: row.product_severity ?? row.severity,
    state: row.state,
    openedAt: row.opened_at,
    firstOpenedAt: row.first_opened_at ?? row.opened_at,
    openings: row.openings,
    lastSeenAt: row.last_seen_at,
    resolvedAt: row.resolved_at,
    evidenceHash: row.evidence_hash,
    hysteresis: recent === null || good === null ? null : { recent, good, at: row.hysteresis_at },
    acknowledgement: acknowledgementOf(row),
  }
}

function acknowledgementOf(row: FindingRow): Acknowledgement | null {
  const { acknowledged_by: by, acknowledged_at: at, acknowledged_until: until, acknowledgement_reason: reason } = row
  return by === null || at === null || until === null || reason === null ? null : { by, at, until, reason }
}

export const hysteresisColumns = (hysteresis: Finding['hysteresis']) => ({
  hysteresis_recent: hysteresis?.recent ?? null,
  hysteresis_good: hysteresis?.good ?? null,
  hysteresis_at: hysteresis?.at ?? null,
})

export const acknowledgementColumns = (acknowledgement: Acknowledgement | null) => ({
  acknowledged_by: acknowledgement?.by ?? null,
  acknowledged_at: acknowledgement?.at ?? null,
  acknowledged_until: acknowledgement?.until ?? null,
  acknowledgement_reason: acknowledgement?.reason ?? null,
})

export const findingColumns = (finding: Finding): Insertable<FindingsTable> => ({
  id: finding.id,
  device_id: finding.deviceId,
  code: finding.code,
  subject: finding.subject,
  value_before: finding.before,
  value_after: finding.after,
  severity: finding.severity,
  state: finding.state,
  opened_at: finding.openedAt,
  first_opened_at: finding.firstOpenedAt,
  openings: finding.openings,
  last_seen_at: finding.lastSeenAt,
  resolved_at: finding.resolvedAt,
  evidence_hash: finding.evidenceHash,
  ...hysteresisColumns(finding.hysteresis),
  ...acknowledgementColumns(finding.acknowledgement),
})
