import type { Appraisal } from '../appraisal/appraise.ts'
import type { Device } from '../model/device.ts'
import type { EvidenceRecord, Session } from '../model/evidence.ts'
import { hold } from './sequence.ts'

/** As accepted evidence is counted and kept. */
export function recordOf(device: Device, appraisal: Appraisal, receivedAt: number): EvidenceRecord {
  const { claims, bytes } = appraisal.evidence
  return {
    deviceId: device.id,
    session: claims.session,
    seq: claims.sequence,
    hash: appraisal.hashOfMessage,
    previous: claims.previous,
    epoch: appraisal.epochNumber,
    receivedAt,
    fresh: appraisal.freshness === 'fresh',
    outcome: appraisal.failure?.code ?? (appraisal.freshness === 'fresh' ? null : appraisal.code),
    verdict: appraisal.verdict,
    postureDigest: claims.postureDigest,
    pcrDigest: appraisal.pcrDigest,
    bytes,
  }
}

/** The session with this message counted; undefined where it would leave too many gaps. */
export function sessionWith(
  device: Device,
  before: Session | undefined,
  appraisal: Appraisal,
  receivedAt: number,
): Session | undefined {
  const { session, sequence } = appraisal.evidence.claims
  const begun = {
    deviceId: device.id,
    session,
    contiguousTo: -1,
    extra: [],
    firstSeenAt: receivedAt,
    firstEpoch: null,
    lastEpoch: null,
  }
  const held = hold(before ?? begun, sequence)
  if (held === undefined || appraisal.freshness !== 'fresh' || appraisal.epochNumber === null) return held
  const epoch = appraisal.epochNumber
  return {
    deviceId: held.deviceId,
    session,
    contiguousTo: held.contiguousTo,
    extra: held.extra,
    firstSeenAt: held.firstSeenAt,
    firstEpoch: Math.min(held.firstEpoch ?? epoch, epoch),
    lastEpoch: Math.max(held.lastEpoch ?? epoch, epoch),
  }
}
