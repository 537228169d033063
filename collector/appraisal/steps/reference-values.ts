import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import type { AppraisalContext, ApprovedValues, Deviation } from '../context.ts'
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
    comparePcrs(context, approved)
    // A posture from before the approval was approved by nobody and replaced since: it says nothing about either.
    const { epoch } = context.known
    const isEarlier = !context.newest && epoch !== undefined && epoch.issuedAt < approved.approvedAt
    if (!isEarlier) comparePosture(context, approved)
  },
}

function comparePcrs(context: AppraisalContext, approved: ApprovedValues): void {
  if (context.quote === undefined) return
  if (approved.pcrs === null) {
    // Approved without a quote, measured with one: nobody has looked at these boot measurements.
    context.obstacles.push('reference-values.missing')
    return
  }
  context.deviations.push(...pcrDeviations(approved.pcrs, context.quote.pcrs))
}

/** PCR 10 belongs to the kernel's measurement list: it grows with each new file and has no fixed value. */
const IMA_PCR = 10

export function pcrDeviations(approved: PcrValues, reported: PcrValues): Deviation[] {
  const deviations: Deviation[] = []
  for (const [bank, pcrs] of approved) {
    for (const [pcr, before] of pcrs) {
      if (pcr === IMA_PCR && before.some((byte) => byte !== 0)) continue
      const after = reported.get(bank)?.get(pcr)
      if (after !== undefined && equal(before, after)) continue
      deviations.push({
        code: 'boot.pcr-changed',
        subject: `pcr/${bank}/${pcr}`,
        before: toHex(before),
        after: after === undefined ? 'not quoted' : toHex(after),
      })
    }
  }
  return deviations
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
    if (changes.every(({ code }) => code !== 'reporting.section-status-changed')) context.decidedSections.add(id)
    context.deviations.push(...changes)
  }

  function contentOf(digest: Uint8Array | undefined): Uint8Array | 'missing' | null {
    return digest === undefined ? null : (contents.get(toHex(digest)) ?? 'missing')
  }
}
