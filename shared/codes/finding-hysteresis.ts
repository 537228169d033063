import type { Hysteresis } from '../hysteresis/hysteresis.ts'
import type { FindingCode } from './findings.ts'

const MINUTE_MS = 60_000

/**
 * Findings that come from measuring, and come and go by themselves: a sensor under load, a service that starts again, an
 * update that is on its way. Everything else, and all that is about integrity, is a finding at once and can be given no
 * hysteresis. null: at once as well, unless the product says otherwise.
 */
const measured: { readonly [Code in FindingCode]?: Hysteresis | null } = {
  'agent.sensor-failed': { count: 2, of: 3, spacingMs: MINUTE_MS },
  'operations.time-sync-off': { count: 2, of: 3, spacingMs: MINUTE_MS },
  'sockets.listener-removed': { count: 2, of: 3, spacingMs: MINUTE_MS },
  'reporting.loss': null,
  'patch-level.lists-changed': null,
  'patch-level.reboot-changed': null,
  'patch-level.security-updates-pending': null,
  'patch-level.unclassified-updates-pending': null,
  'patch-level.updates-pending': null,
}

export const isMeasured = (code: FindingCode): boolean => measured[code] !== undefined

/** What holds where the product says nothing; null for what is a finding at once. */
export const defaultHysteresis = (code: FindingCode): Hysteresis | null => measured[code] ?? null

/** A finding may not wait longer than this to open: what is to be quiet for longer is an exception that people see. */
export const MAX_HYSTERESIS_MS = 7 * 24 * 60 * MINUTE_MS
