import { findings as findingCodes, type Severity } from '../../shared/codes/findings.ts'
import { MAX_RESULT_LIFETIME_SECONDS, type ResultContent } from '../../shared/result/ear.ts'
import { CoverageReader } from '../decisions/coverage.ts'
import type { Decisions } from '../decisions/decision-book.ts'
import type { Device, DeviceState } from '../model/device.ts'
import { presentReleases } from '../releases/release-set.ts'
import type { Store } from '../store/index.ts'
import { freshUntil, livenessOf, type LivenessTime } from './liveness.ts'

const MAX_LIFETIME_MS = MAX_RESULT_LIFETIME_SECONDS * 1000

const ORDER: readonly Severity[] = ['critical', 'high', 'medium', 'low']

/** What is concluded about a device now, as an attestation result says it. */
export async function resultOf(
  store: Store,
  device: Device,
  at: LivenessTime,
  { version, decisions }: { readonly version: string; readonly decisions: Pick<Decisions, 'register'> },
): Promise<ResultContent> {
  const { now } = at
  const state = await store.devices.stateOf(device.id)
  const open = await store.findings.openOf(device.id)
  const epoch = state.lastFreshEpoch === null ? undefined : await store.epochs.byNumber(state.lastFreshEpoch)
  const { liveness, extended } = livenessOf(state, at)
  const isFresh = liveness === 'fresh' && device.enrolment === 'active'
  const staleAt = freshUntil(state, at)
  const { coverage, reason, certificate } = await new CoverageReader(store, decisions).of(device, state, now)
  const codes = new Set(open.map(({ code }) => code))
  const severity = (code: keyof typeof findingCodes): number => ORDER.indexOf(findingCodes[code].severity)
  return {
    ueid: device.ueid,
    nonce: epoch?.nonce ?? null,
    issuedAt: Math.floor(now / 1000),
    expiresAt: Math.floor(Math.min(now + MAX_LIFETIME_MS, isFresh ? staleAt : Number.POSITIVE_INFINITY) / 1000),
    verifier: { developer: 'Keepseal', build: `keepseal-collector ${version}` },
    policies: await heldAgainst(store, device, state, now),
    identity: device.identity,
    bootCoverage: state.bootCoverage,
    verdict: state.verdict,
    verdictCode: state.verdictCode,
    isFresh,
    files: state.ima?.verdict ?? 'not-reported',
    findings: [...codes].sort((one, other) => severity(one) - severity(other)),
    latch: state.latch,
    liveness,
    freshnessExtended: extended,
    coverage: reason ?? coverage,
    certificate,
  }
}

/** The release that the device conforms to, or all that it could conform to; before there was one, approved values. */
async function heldAgainst(
  store: Store,
  { id, productId }: Device,
  { release: { current } }: DeviceState,
  now: number,
): Promise<readonly string[]> {
  const set = presentReleases(await store.releases.ofProduct(productId), now)
  if (set.length > 0) {
    const accepted = set.filter(({ standing }) => standing === 'accepted').map(({ release }) => release.id)
    return current === null ? accepted : [current]
  }
  const reference = await store.references.newestFor(id, productId)
  return reference === undefined ? [] : [reference.id]
}
