import { concat, toHex } from '../../shared/bytes/bytes.ts'
import { IMA_PCR } from '../../shared/eventlog/constants.ts'
import { judgeReleases, type Measured, type ReleaseJudgement } from '../releases/judge.ts'
import { wentBack } from '../releases/standing-findings.ts'
import type { DeviceRelease } from '../model/release.ts'
import { mayVary, tellOverdueLog } from './awaited.ts'
import type { AppraisalContext, KnownReleases } from './context.ts'

/** What an appraisal found out about the releases of the device. */
export interface ReleaseConclusion extends Pick<DeviceRelease, 'current' | 'highest'> {
  readonly judgedBy: string
  /** Everything was compared. */
  readonly isWhole: boolean
  /** `current` is accepted. */
  readonly isAccepted: boolean
}

/** Compares the device with the releases of its product, of which it has to conform to one that is accepted. */
export function compareWithReleases(context: AppraisalContext, releases: KnownReleases): void {
  const judgement = judged(context, releases)
  const { conformsTo, isWhole } = judgement
  context.deviations.push(...judgement.deviations)
  for (const id of judgement.decided) context.decidedSections.add(id)
  if (isWhole) context.decidedSections.add('release')
  context.bootUndecided = judgement.bootUndecided
  context.eventsUndecided = judgement.eventsUndecided
  if (judgement.lacksValues) context.obstacles.push('reference-values.missing')
  if (judgement.contentMissing) context.obstacles.push('content.missing')
  if (judgement.bootUndecided) tellOverdueLog(context)

  const { highest } = context.known.state.release
  const highestKnown = releases.candidates.find(({ release }) => release.id === highest)
  if (context.newest && conformsTo !== null) context.deviations.push(...wentBack(conformsTo, highestKnown))
  const isHighest =
    conformsTo !== null &&
    (highestKnown === undefined ||
      highestKnown.standing === 'revoked' ||
      highestKnown.release.order < conformsTo.release.order)
  context.release = {
    judgedBy: releases.key,
    isWhole,
    isAccepted: conformsTo?.standing === 'accepted',
    current: conformsTo?.release.id ?? null,
    highest: isHighest ? conformsTo.release.id : highest,
  }
}

/** What was found for the same content and the same values is found again. */
function judged(context: AppraisalContext, { candidates, judged: known }: KnownReleases): ReleaseJudgement {
  const name = nameOf(context)
  const found = name === null ? undefined : known.get(name)
  if (found !== undefined) return found
  const judgement = judgeReleases(candidates, measuredBy(context), context.hash)
  const isComplete = judgement.isWhole && name !== null
  return isComplete ? known.keep(name, judgement) : judgement
}

/** Names all that a judgement depends on; null where some of it is under way. */
function nameOf({ known, quote, unverified, bootLog, hash }: AppraisalContext): string | null {
  if (known.posture === undefined || known.bootLog === 'missing') return null
  if ([...known.posture.values()].some((digest) => !known.contents.has(toHex(digest)))) return null
  if (quote === undefined) return known.attestationKey === null ? toHex(unverified.claims.postureDigest) : null
  const values = [...quote.pcrs].flatMap(([bank, ofBank]) =>
    [...ofBank].flatMap(([pcr, value]) => [
      Uint8Array.of(bank.length, Number(bank === 'sha384'), pcr),
      // What the kernel measures changes all the time; whether it measures is all that is compared.
      pcr === IMA_PCR ? Uint8Array.of(Number(value.some((byte) => byte !== 0))) : value,
    ]),
  )
  const log = unverified.tpm?.logs.firmware ?? null
  return [
    toHex(unverified.claims.postureDigest),
    toHex(hash('sha256', concat(...values))),
    quote.firmwareVersion.toString(16),
    bootLog === undefined || log === null ? 'no log' : toHex(log),
  ].join(' ')
}

function measuredBy(context: AppraisalContext): Measured {
  const { known, quote, bootLog } = context
  const { posture, state, attestationKey } = known
  // A device that was asked before and still sends no log gains no time by it, but for what units may differ in.
  const wasAsked = (state.bootAwaited?.reports ?? 0) > 0
  return {
    posture,
    section: known.section,
    boot:
      quote === undefined
        ? attestationKey === null
          ? 'none'
          : 'undecided'
        : {
            pcrs: quote.pcrs,
            tpmFirmwareVersion: quote.firmwareVersion,
            log: bootLog,
            awaited: (pcr, reference) => known.bootLog === 'missing' && (!wasAsked || mayVary(reference, pcr)),
          },
  }
}

/** What becomes of what is known of a device's release. `at`: when it was judged, ms. */
export function nextRelease(before: DeviceRelease, found: ReleaseConclusion | null, at: number): DeviceRelease {
  if (found === null) return before
  const { judgedBy, current, highest, isWhole } = found
  if (!isWhole) return { ...before, judgedBy }
  return { current, highest, judgedBy, since: current === before.current ? before.since : current === null ? null : at }
}
