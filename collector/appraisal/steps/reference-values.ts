import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import type { VerifiedQuote } from '../../../shared/tpm/quote.ts'
import { bootDeviations, type BootDeviations } from '../boot-deviations.ts'
import { mayVary, tellOverdueLog } from '../awaited.ts'
import type { AppraisalContext, ApprovedValues } from '../context.ts'
import { withoutListsOfSources } from '../lists-of-sources.ts'
import type { AppraisalStep } from '../registry.ts'
import { compareWithReleases } from '../release-values.ts'
import { isAboutStatus, sectionDeviations } from '../section-deviations.ts'

export const referenceValues: AppraisalStep = {
  id: 'reference-values',
  title: 'The device is as it was approved',
  failure: 'integrity',
  run(context) {
    compare(context)
    context.deviations.splice(0, Infinity, ...withoutListsOfSources(context.deviations))
  },
}

function compare(context: AppraisalContext): void {
  const { approved, device, releases, releasesThen } = context.known
  if (device.enrolment !== 'active') context.obstacles.push('identity.pending')
  // History is compared with what was accepted when it was made: before the first release, with approved values.
  const byReleases = context.newest ? releases : releasesThen
  if (byReleases !== undefined) {
    compareWithReleases(context, byReleases)
    return
  }
  if (approved === undefined) {
    context.obstacles.push('reference-values.missing')
    return
  }
  compareBootValues(context, approved)
  // A posture from before the approval was approved by nobody and replaced since: it says nothing about either.
  const { epoch } = context.known
  const isEarlier = !context.newest && epoch !== undefined && epoch.issuedAt < approved.approvedAt
  if (!isEarlier) comparePosture(context, approved)
}

function compareBootValues(context: AppraisalContext, approved: ApprovedValues): void {
  const { quote, known, newest } = context
  if (quote === undefined) return
  if (approved.pcrs === null) {
    // Approved without a quote, measured with one: nobody has looked at these boot measurements.
    context.obstacles.push('reference-values.missing')
    return
  }
  const found = bootDifferences(context, { ...approved, pcrs: approved.pcrs }, quote)
  // History may be as approved when it was made: an approved update does not make what was before it a deviation.
  const then = newest || found.deviations.length === 0 ? undefined : known.approvedThen
  if (then !== undefined && then.pcrs !== null) {
    const before = bootDifferences(context, { ...then, pcrs: then.pcrs }, quote)
    if (before.deviations.length === 0 && !before.undecided) return
  }
  context.deviations.push(...found.deviations)
  context.bootUndecided = found.undecided
  context.eventsUndecided = found.eventsUndecided
  if (found.unapproved.length > 0) context.obstacles.push('reference-values.missing')
  if (found.undecided) tellOverdueLog(context)
}

function bootDifferences(
  { known, bootLog, hash }: AppraisalContext,
  approved: ApprovedValues & { readonly pcrs: PcrValues },
  quote: VerifiedQuote,
): BootDeviations {
  const { bootReference, pcrs, tpmFirmwareVersion: before } = approved
  const isAwaited = known.bootLog === 'missing'
  // A device that was asked before and still sends no log gains no time by it, but for what units may differ in.
  const wasAsked = (known.state.bootAwaited?.reports ?? 0) > 0
  const awaited = (pcr: number): boolean => isAwaited && (!wasAsked || mayVary(bootReference, pcr))
  const found = bootDeviations({ pcrs, bootReference }, quote.pcrs, bootLog, awaited, hash)
  const after = quote.firmwareVersion
  if (before === null || before === after) return found
  const text = (version: bigint): string => version.toString(16).padStart(16, '0')
  const changed = { code: 'boot.tpm-firmware-changed', subject: 'tpm firmware' } as const
  return { ...found, deviations: [...found.deviations, { ...changed, before: text(before), after: text(after) }] }
}

function comparePosture(context: AppraisalContext, approved: ApprovedValues): void {
  const { posture, contents } = context.known
  if (posture === undefined) return
  for (const id of new Set([...approved.posture.keys(), ...posture.keys()])) {
    const before = approved.posture.get(id)
    const after = posture.get(id)
    if (before !== undefined && after !== undefined && equal(before, after)) {
      context.decidedSections.add(id)
      continue
    }
    const changes = sectionDeviations(id, contentOf(before), contentOf(after))
    if (changes === 'content-missing') {
      context.obstacles.push('content.missing')
      continue
    }
    // One that could not be looked into shows nothing, and what it showed before is not gone.
    if (!changes.some(({ code }) => isAboutStatus(code))) context.decidedSections.add(id)
    context.deviations.push(...changes)
  }

  function contentOf(digest: Uint8Array | undefined): Uint8Array | 'missing' | null {
    return digest === undefined ? null : (contents.get(toHex(digest)) ?? 'missing')
  }
}
