import type { Logger } from 'pino'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import type { CollectorConfig } from '../config/options.ts'
import type { DeviceChannel } from '../ingest/device-channel.ts'
import type { Handled } from '../ingest/evidence-handler.ts'
import type { IngestDependencies } from '../ingest/process-batch.ts'
import type { Attendance } from '../liveness/attendance.ts'
import type { Metrics } from '../metrics.ts'
import type { Store } from '../store/index.ts'
import type { Leadership } from '../store/leadership.ts'
import type { LivenessTime } from '../tracking/liveness.ts'
import type { CollectorKeys } from '../trust/keys.ts'

/** What roles stand on; each takes of it what it needs. */
export interface Foundation {
  readonly config: CollectorConfig
  readonly catalogue: Catalogue
  readonly logger: Logger
  readonly version: string
  /** ms since 1970. */
  readonly clock: () => number
  readonly random: RandomFunction
  readonly keys: CollectorKeys
  readonly store: Store
  readonly leadership: Leadership
  readonly metrics: Metrics
  readonly deps: IngestDependencies
  readonly onHandled: (handled: Handled) => void
  readonly attendance: Attendance
  readonly livenessTime: () => LivenessTime
}

/** Roles that speak to devices have the way to them as well. */
export interface ConnectedFoundation extends Foundation {
  readonly channel: DeviceChannel
}
