import type { Measurement } from '../../../shared/maturity/conformity/sample.ts'
import type { Reason } from '../../../shared/maturity/conformity/status.ts'
import { POSTURE_SIGNALS, type PostureSignalId } from '../../../shared/maturity/signals/posture.ts'
import type { SignalId } from '../../../shared/maturity/signals.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import type { Store } from '../../store/index.ts'
import { acceptedReleases, CLONE_CODES, LISTENER_CODES, type Fleet } from './fleet-signals.ts'

/** As many as a person looks at; the count says how many there are. */
const SHOWN = 5
/** Different postures that are searched for examples. */
const POSTURES = 50

const isPostureSignal = (signal: SignalId): signal is SignalId & PostureSignalId =>
  Object.hasOwn(POSTURE_SIGNALS, signal)

/** Adds to each reason about units which of them fail: the first few, and how many. */
export async function withUnits(
  store: Store,
  fleet: Fleet,
  measured: ReadonlyMap<SignalId, Measurement>,
  reasons: readonly Reason[],
): Promise<readonly Reason[]> {
  const told: Reason[] = []
  for (const reason of reasons) {
    const { code, signal } = reason
    const now = signal === undefined ? undefined : measured.get(signal)
    const fails = code === 'signal-broken' || code === 'signal-at-risk'
    const count = now === undefined ? 0 : now.known - now.good
    if (signal === undefined || !fails || count === 0) {
      told.push(reason)
      continue
    }
    const first = await firstFailing(store, fleet, signal)
    told.push(first.length === 0 ? reason : { ...reason, units: { count, first } })
  }
  return told
}

async function firstFailing(store: Store, fleet: Fleet, signal: SignalId): Promise<readonly Ueid[]> {
  const { productId, retiredBefore } = fleet
  const firstWith = (what: Parameters<typeof store.fleet.firstWith>[1]) =>
    store.fleet.firstWith(productId, what, retiredBefore, SHOWN)
  if (isPostureSignal(signal)) {
    const bad = fleet.groups.filter(({ outcomes }) => outcomes[signal] === 'bad').slice(0, POSTURES)
    const postures = bad.flatMap(({ postureDigest }) => (postureDigest === null ? [] : [postureDigest]))
    return postures.length === 0 ? [] : firstWith({ postures })
  }
  switch (signal) {
    case 'access.expected-listeners':
      return store.fleet.firstWithFinding(productId, LISTENER_CODES, retiredBefore, SHOWN)
    case 'identity.unique':
      return store.fleet.firstWithFinding(productId, CLONE_CODES, retiredBefore, SHOWN)
    case 'monitoring.fresh-reports':
      return firstWith({ stale: fleet.deadlines })
    case 'identity.hardware-bound':
      return firstWith({ identity: ['software'] })
    case 'identity.endorsed':
      return firstWith({ identity: ['software', 'tpm-tofu'] })
    case 'configuration.reference-match':
      return firstWith({ notMatching: true })
    case 'patch.supported-release':
      return firstWith({ notReleases: acceptedReleases(fleet).map(({ id }) => id) })
    default:
      return []
  }
}
