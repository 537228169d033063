import { hash } from '../../shared/crypto/node.ts'
import { decodeEvidence } from '../../shared/evidence/evidence.ts'
import { appraise } from '../appraisal/appraise.ts'
import type { Device, DeviceState } from '../model/device.ts'
import type { Store } from '../store/index.ts'
import { track, type EvidenceDependencies, type Handled } from './evidence-handler.ts'
import { loadKnownDevice } from './known-devices.ts'

function awaitedBefore({ bootAwaited }: DeviceState): DeviceState['bootAwaited'] {
  if (bootAwaited === null || bootAwaited.reports <= 1) return null
  return { since: bootAwaited.since, reports: bootAwaited.reports - 1 }
}
/** What stands first against a device of which more can have arrived. */
const WAITING: ReadonlySet<string> = new Set([
  'content.missing',
  'reference-values.missing',
  'ima.boot-aggregate-unchecked',
])

/**
 * Appraises the newest evidence of a device once more, because content that it names has arrived `now`: by the releases
 * that count by then. Undefined when there is nothing new to conclude from.
 */
export async function reconsider(
  store: Store,
  device: Device,
  deps: EvidenceDependencies,
  now: number,
): Promise<Handled | undefined> {
  const state = await store.devices.stateOf(device.id)
  const { verdictCode } = state
  const isOpen = verdictCode !== null && WAITING.has(verdictCode)
  const isListAwaited = (state.ima?.summary.waiting.length ?? 0) > 0
  if (!isOpen && !isListAwaited && state.bootAwaited === null) return undefined
  return reappraise(store, device, state, deps, { now })
}

/**
 * Appraises the newest evidence of a device once more, by the releases that count `now` (ms), whenever it was made.
 * `judgedAt`: where it is these releases that it is looked at again for. Undefined where there is no such evidence.
 */
export async function reappraise(
  store: Store,
  device: Device,
  { freshSession, freshSequence }: DeviceState,
  deps: EvidenceDependencies,
  { now, judgedAt }: { readonly now: number; readonly judgedAt?: number },
): Promise<Handled | undefined> {
  if (freshSession === null || freshSequence === null) return undefined
  const record = await store.evidence.find(device.id, freshSession, freshSequence)
  if (record === undefined) return undefined
  const { receivedAt } = record
  const unverified = decodeEvidence(record.bytes)
  const known = await loadKnownDevice(store, deps, device, unverified, now)
  // It stands in its place already: only what it says is looked at again, as if it had just become the newest.
  const links = { ...known.links, samePlace: undefined, freshSessions: [] }
  // The report has not waited for itself.
  const before = { ...known.state, lastFreshEpoch: null, tpmClock: null, bootAwaited: awaitedBefore(known.state) }
  const decision = appraise({
    topicUeid: device.ueid,
    unverified,
    hashOfMessage: record.hash,
    known: { ...known, links, state: before },
    // It was fresh when it came: how long its window was then is not asked again.
    policy: { ...deps.policy, freshnessWindowMs: Number.POSITIVE_INFINITY },
    receivedAt,
    hash,
  })
  if (decision.kind !== 'appraised' || !decision.newest) return undefined
  const urgent = await track(store, known, decision, receivedAt, deps, judgedAt)
  const nothing = { session: null, sequence: null, request: null, known: null } as const
  return {
    device,
    hash: record.hash,
    result: 'reconsidered',
    code: decision.code,
    detail: '',
    urgent,
    appraisal: decision,
    ...nothing,
  }
}
