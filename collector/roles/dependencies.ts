import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import type { CollectorConfig } from '../config/options.ts'
import { DecisionBook } from '../decisions/decision-book.ts'
import { ReleaseCache } from '../ingest/known-releases.ts'
import { BootCache, KeyCache } from '../ingest/known-devices.ts'
import { ImaPolicyCache } from '../ingest/known-lists.ts'
import type { IngestDependencies } from '../ingest/process-batch.ts'
import { RateLimiter } from '../ingest/rate-limiter.ts'
import { RememberedDevices } from '../ingest/steady/remembered-devices.ts'
import { SharedKnowledgeCache } from '../ingest/steady/shared-knowledge.ts'
import type { Store } from '../store/index.ts'
import type { Downtime } from '../liveness/downtime.ts'
import type { CollectorKeys } from '../trust/keys.ts'

const KEYS_CACHED = 10_000
const DAY_MS = 86_400_000
const DAILY_CONTENT_BYTES = 64 * 1024 * 1024
const PENDING_SECTION_BYTES = 16 * 1024 * 1024

/** Devices whose rate is remembered. */
export const RATED_DEVICES = 100_000

/** What the appraisal works with. Its caches are this process's own: what they hold is named by what it is made of. */
export function ingestDependencies(
  config: CollectorConfig,
  keys: CollectorKeys,
  store: Store,
  catalogue: Catalogue,
  random: RandomFunction,
  downtime: () => Downtime,
): IngestDependencies {
  const policy = {
    freshnessWindowMs: config.freshness.windowSeconds * 1000,
    maxExtensionMs: config.freshness.maxExtensionSeconds * 1000,
    collectorId: keys.collectorId,
  }
  return {
    keys: new KeyCache(KEYS_CACHED),
    boot: new BootCache(),
    policies: new ImaPolicyCache(),
    releases: new ReleaseCache(),
    shared: new SharedKnowledgeCache(),
    remembered: new RememberedDevices(),
    history: { keepOneIn: config.store.keepOneIn },
    get policy() {
      return { ...policy, downtime: downtime() }
    },
    random,
    decisions: new DecisionBook(store, catalogue),
    collectorKeys: keys,
    sectionLimits: {
      contentBytes: config.limits.sectionBytes,
      pendingBytes: PENDING_SECTION_BYTES,
      budget: new RateLimiter({ capacity: DAILY_CONTENT_BYTES, periodMs: DAY_MS, devices: RATED_DEVICES }),
    },
    messageBytes: config.limits.messageBytes,
    receiptIntervalMs: config.receipts.minIntervalSeconds * 1000,
  }
}
