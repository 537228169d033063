import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Decisions } from '../decisions/decision-book.ts'
import type { PublishedFacts } from '../decisions/published-facts.ts'
import type { DecideAgain } from '../ingest/decide-again.ts'
import type { OidcLogins } from '../access/oidc/provider.ts'
import type { PasswordCost } from '../access/password.ts'
import type { LiveLimits } from './web/live.ts'
import type { ClockStep } from '../liveness/clock-guard.ts'
import type { Store } from '../store/index.ts'
import type { LivenessTime } from '../tracking/liveness.ts'
import type { CollectorKeys } from '../trust/keys.ts'

/** Something without which the collector cannot do its work. */
export interface ReadinessCheck {
  /** `database`, `broker`. */
  readonly name: string
  /** Rejects when it does not work. */
  readonly check: () => Promise<unknown>
}

/** Who may see the status page, which needs no token: browsers on this machine, everybody, or nobody. */
export type StatusPageAccess = 'loopback' | 'everybody' | 'nobody'

/** What the API works with; all of it is handed in. */
export interface ApiServices extends PublishedFacts {
  readonly store: Store
  readonly decisions: Decisions
  /** What is said about the practices; without one the product's own words. */
  readonly catalogue?: Catalogue
  /** Milliseconds since 1970, UTC. */
  readonly clock: () => number
  readonly random: RandomFunction
  readonly version: string
  /** Where people and programs reach it. */
  readonly publicUrl: string
  /** Port of the pages that are served without TLS on this machine, if they are. */
  readonly plainPort?: number | null
  /** Where people log in who have no account here, if anywhere. */
  readonly oidc?: OidcLogins | null
  readonly livenessTime: () => LivenessTime
  /** Who this collector is, and what it signs results with. */
  readonly keys: Pick<CollectorKeys, 'collectorId' | 'signer' | 'publicKey' | 'keyHistory' | 'totpSecretOf'>
  /** Thumbprints of collectors whose bundles of advisories are taken, beside this one's. */
  readonly bundleSigners?: readonly string[]
  /** Beside the database, which is always asked. */
  readonly readiness?: readonly ReadinessCheck[]
  /** How far the clock of this machine was stepped, which is not followed; undefined while it is trusted. */
  readonly clockStep?: () => ClockStep | undefined
  readonly logger?: FastifyBaseLogger
  readonly metricsRegistry?: Registry
  readonly statusPage?: StatusPageAccess
  /** Where the built pages of the dashboard are, if not beside the programs. */
  readonly webDirectory?: string
  /** Of the passwords of people; less in tests alone. */
  readonly passwordCost?: PasswordCost
  /** Of streams of changes; less in tests alone. */
  readonly liveLimits?: Partial<LiveLimits>
  /** Per client address, of the API. */
  readonly requestsPerMinute?: number
  /** Called after a device was approved or revoked, so that a broker can let it in or cut it off. */
  readonly deviceChanged?: (ueid: Ueid) => void
  /** Called after a release or a device was decided about, so that devices are judged by it at once. */
  readonly judgeAgain?: () => void
  /** Decides messages that are in quarantine. */
  readonly decideAgain?: DecideAgain
}
