import { equal } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { decodeEvidence, type UnverifiedEvidence } from '../../../shared/evidence/evidence.ts'
import type { Appraisal } from '../../appraisal/appraise.ts'
import type { DeviceState } from '../../model/device.ts'
import type { SteadyDevice } from '../../store/steady/steady.ts'
import { isHeld } from '../history.ts'

/** What makes a report one that tells nothing new: see ./steady-batch.ts. */

export function decoded(bytes: Uint8Array): UnverifiedEvidence | undefined {
  try {
    return decodeEvidence(bytes)
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}

/**
 * Whether it is a message of the running agent that is not held yet, is not its first one, and brings nothing that would
 * have to be kept.
 */
export function isUsual({ claims, tpm }: UnverifiedEvidence, { state, session, runs }: SteadyDevice): boolean {
  const { sequence } = claims
  return (
    equal(claims.session, session.session) &&
    sequence > 0 &&
    claims.previous !== null &&
    claims.challenge === null &&
    !isHeld(session, sequence) &&
    !runs.some(({ firstSeq, lastSeq }) => firstSeq <= sequence && sequence <= lastSeq) &&
    claims.posture === null &&
    state.postureDigest !== null &&
    equal(claims.postureDigest, state.postureDigest) &&
    (tpm === null || (tpm.pcrs === null && tpm.logs.ima === null))
  )
}

/** Of the present: all is well, as before. Of the past: nothing stands against the device but that it is late. */
export function tellsNothing(appraisal: Appraisal): boolean {
  const { newest, verdict, code, failure, deviations, missing, ima, freshness } = appraisal
  const lacks = missing.posture || missing.pcrs || missing.contents.length > 0 || missing.ima !== null
  const isIdle = ima.state === undefined && ima.spentLists.length === 0
  const isGood = verdict === 'affirming' && freshness === 'fresh'
  const isHistory = !newest && verdict === 'not-appraised' && code === 'freshness.late'
  return (isGood || isHistory) && failure === null && deviations.length === 0 && !lacks && isIdle
}

/** Another agent was heard of within the life of this one: that is for the appraisal to look at, which is not told of it. */
export function mayBeOfCopy(
  { freshness, epochNumber }: Appraisal,
  { session, lastEpochOfOthers }: SteadyDevice,
): boolean {
  if (freshness !== 'fresh' || lastEpochOfOthers === null) return false
  return (
    session.firstEpoch === null || epochNumber === null || lastEpochOfOthers > Math.min(session.firstEpoch, epochNumber)
  )
}

const same = (one: Uint8Array | null, other: Uint8Array | null): boolean =>
  one === null || other === null ? one === other : equal(one, other)

/** Whether only that moved which `store.steady.advance` writes. */
export function isSameBut(before: DeviceState, after: DeviceState): boolean {
  return (
    before.verdict === after.verdict &&
    before.verdictCode === after.verdictCode &&
    before.latch === after.latch &&
    before.liveness === after.liveness &&
    before.bootCoverage === after.bootCoverage &&
    same(before.freshSession, after.freshSession) &&
    same(before.postureDigest, after.postureDigest) &&
    same(before.pcrDigest, after.pcrDigest) &&
    same(before.bootDigest, after.bootDigest) &&
    same(before.bootSeed, after.bootSeed) &&
    before.bootAwaited === after.bootAwaited &&
    before.ima === after.ima &&
    before.release.current === after.release.current &&
    before.release.since === after.release.since &&
    before.release.highest === after.release.highest &&
    before.release.judgedBy === after.release.judgedBy &&
    before.namedReceipt === after.namedReceipt &&
    before.agentVersion === after.agentVersion &&
    before.reportInterval === after.reportInterval
  )
}
