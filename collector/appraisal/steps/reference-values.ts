import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import type { PcrRules } from '../../../shared/eventlog/reference/types.ts'
import { bootDeviations } from '../boot-deviations.ts'
import type { AppraisalContext, ApprovedValues } from '../context.ts'
import type { AppraisalStep } from '../registry.ts'
import { sectionDeviations } from '../section-deviations.ts'

export const referenceValues: AppraisalStep = {
  id: 'reference-values',
  title: 'The device is as it was approved',
  failure: 'integrity',
  run(context) {
    const { approved, device } = context.known
    if (device.enrolment !== 'active') context.obstacles.push('identity.pending')
    if (approved === undefined) {
      context.obstacles.push('reference-values.missing')
      return
    }
    compareBootValues(context, approved)
    // A posture from before the approval was approved by nobody and replaced since: it says nothing about either.
    const { epoch } = context.known
    const isEarlier = !context.newest && epoch !== undefined && epoch.issuedAt < approved.approvedAt
    if (!isEarlier) comparePosture(context, approved)
  },
}

function compareBootValues(context: AppraisalContext, approved: ApprovedValues): void {
  const { quote, known } = context
  if (quote === undefined) return
  if (approved.pcrs === null) {
    // Approved without a quote, measured with one: nobody has looked at these boot measurements.
    context.obstacles.push('reference-values.missing')
    return
  }
  const { bootReference, tpmFirmwareVersion: before } = approved
  const isAwaited = known.bootLog === 'missing'
  // A device that was asked before and still sends no log gains no time by it, but for what units may differ in.
  const wasAsked = known.state.verdictCode === 'content.missing'
  const mayVary = (pcr: number): boolean => isTolerant(bootReference?.pcrs.find((rules) => rules.pcr === pcr))
  const { deviations, undecided } = bootDeviations(
    { pcrs: approved.pcrs, bootReference },
    quote.pcrs,
    context.bootLog,
    (pcr) => isAwaited && (!wasAsked || mayVary(pcr)),
    context.hash,
  )
  context.deviations.push(...deviations)
  context.bootUndecided = undecided
  const after = quote.firmwareVersion
  if (before !== null && before !== after) {
    const text = (version: bigint): string => version.toString(16).padStart(16, '0')
    const subject = 'tpm firmware'
    context.deviations.push({ code: 'boot.tpm-firmware-changed', subject, before: text(before), after: text(after) })
  }
}

const isTolerant = (rules: PcrRules | undefined): boolean =>
  rules !== undefined &&
  (rules.isUnordered || rules.rules.some(({ isOptional, digests }) => isOptional || digests?.length !== 1))

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
    if (changes.every(({ code }) => code !== 'reporting.section-status-changed')) context.decidedSections.add(id)
    context.deviations.push(...changes)
  }

  function contentOf(digest: Uint8Array | undefined): Uint8Array | 'missing' | null {
    return digest === undefined ? null : (contents.get(toHex(digest)) ?? 'missing')
  }
}
