import * as v from 'valibot'
import type { Output } from '../../../shared/cli/output.ts'
import { printable } from '../../../shared/text/printable.ts'
import { coverageText } from './coverage-view.ts'
import { describeFindings, Finding } from './finding.ts'
import { advice, field, paragraph, timeText, toneOf } from './text.ts'

/** What the commands read of the API's answers about devices. */

export const Device = v.looseObject({
  ueid: v.string(),
  productId: v.string(),
  vendor: v.string(),
  model: v.string(),
  hardwareRevision: v.string(),
  serial: v.string(),
  enrolment: v.string(),
  identity: v.string(),
  bootCoverage: v.string(),
  imaVerdict: v.string(),
  verdict: v.string(),
  verdictCode: v.nullable(v.string()),
  verdictTitle: v.nullable(v.string()),
  latch: v.string(),
  liveness: v.string(),
  freshnessExtended: v.boolean(),
  coverage: v.string(),
  coverageReason: v.nullable(v.string()),
  certificate: v.nullable(v.string()),
  lastFreshAt: v.nullable(v.string()),
  lastReceivedAt: v.nullable(v.string()),
  agentVersion: v.nullable(v.string()),
  reportIntervalSeconds: v.nullable(v.number()),
  enrolledAt: v.string(),
})

export const DeviceDetail = v.looseObject({
  ...Device.entries,
  ima: v.nullable(
    v.looseObject({
      entries: v.number(),
      bootAggregate: v.string(),
      unjudged: v.number(),
      excluded: v.array(v.looseObject({ pattern: v.string(), entries: v.number() })),
    }),
  ),
  postureDigest: v.nullable(v.string()),
  review: v.string(),
  labels: v.record(v.string(), v.string()),
  suppressedCount: v.number(),
  findings: v.array(Finding),
  refusals: v.record(v.string(), v.number()),
})
type DeviceDetail = v.InferOutput<typeof DeviceDetail>

export const Approval = v.looseObject({
  ueid: v.string(),
  activated: v.boolean(),
  referenceId: v.nullable(v.string()),
  resolvedFindings: v.array(v.string()),
  withoutBaseline: v.nullable(v.string()),
})

export const Labelled = v.looseObject({ labels: v.record(v.string(), v.string()) })

export const labelText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ') || 'no labels'

export const Revocation = v.looseObject({ ueid: v.string(), enrolment: v.string() })

/** On every axis, since none of them stands for another. */
export function isGood({ enrolment, verdict, latch, liveness }: DeviceDetail): boolean {
  return enrolment === 'active' && verdict === 'affirming' && latch === 'none' && liveness === 'fresh'
}

export function describeDevice(device: DeviceDetail, { style }: Pick<Output, 'style'>): string[] {
  const word = (text: string): string => {
    const tone = toneOf(text)
    return tone === undefined ? printable(text) : style(tone, printable(text))
  }
  const { vendor, model, hardwareRevision, serial, verdictCode, verdictTitle } = device
  const refusals = Object.entries(device.refusals).map(([code, count]) => `${printable(code)} ${count}`)
  return [
    ...field('device', printable(device.ueid)),
    ...field('product', printable(`${vendor} ${model}, revision ${hardwareRevision}`)),
    ...field('', printable(device.productId)),
    ...field('serial', printable(serial)),
    ...(Object.keys(device.labels).length === 0 ? [] : field('labels', printable(labelText(device.labels)))),
    ...field('enrolment', `${word(device.enrolment)}, ${printable(timeText(device.enrolledAt))}`),
    ...field('identity', word(device.identity)),
    ...field('boot', printable(device.bootCoverage)),
    ...describeFiles(device, word),
    ...field('verdict', word(device.verdict)),
    ...(verdictCode === null ? [] : field('', printable(verdictCode))),
    ...(verdictTitle === null ? [] : field('', printable(verdictTitle))),
    ...field('latch', word(device.latch)),
    ...field('liveness', `${word(device.liveness)}, last fresh ${printable(timeText(device.lastFreshAt))}`),
    ...(device.freshnessExtended ? field('', 'extended: the collector was down or held devices back') : []),
    ...(device.reportIntervalSeconds === null
      ? []
      : field('', `it says that it reports every ${device.reportIntervalSeconds} s`)),
    ...field('certificate', coveredBy(device)),
    ...(device.coverageReason === null ? [] : field('', printable(coverageText(device.coverageReason)))),
    ...field('agent', printable(device.agentVersion ?? '-')),
    ...field('posture', printable(device.postureDigest ?? '-')),
    ...field('review', printable(device.review)),
    ...refusals.flatMap((text, index) => field(index === 0 ? 'refused' : '', text)),
    ...field('findings', findingCountText(device)),
    ...describeFindings(device.findings, { style }),
    ...(device.findings.length === 0 ? [] : acceptance(device)),
    ...(device.enrolment === 'pending' ? advice('', `keepseal device accept ${device.ueid}`) : []),
  ]
}

function findingCountText({ findings, suppressedCount }: DeviceDetail): string {
  if (findings.length === 0) return 'none'
  return suppressedCount === 0 ? String(findings.length) : `${findings.length}, ${suppressedCount} of them suppressed`
}
const coveredBy = ({ coverage, coverageReason, certificate }: DeviceDetail): string =>
  printable([coverage, coverageReason, certificate].filter((part) => part !== null).join(', '))

/** Of the measured files; what was let pass by a pattern is a hole in the judgement, and has to be seen. */
function describeFiles({ imaVerdict, ima }: DeviceDetail, word: (text: string) => string): string[] {
  if (ima === null) return field('files', word(imaVerdict))
  const about = [
    `${ima.entries} entries verified`,
    ...(ima.unjudged === 0 ? [] : [`${ima.unjudged} of them without a policy`]),
    ...(ima.bootAggregate === 'matches' ? [] : [`boot aggregate ${printable(ima.bootAggregate)}`]),
  ]
  return [
    ...field('files', `${word(imaVerdict)}, ${about.join(', ')}`),
    ...ima.excluded.flatMap(({ pattern, entries }) => field('', `${entries} let pass by ${printable(pattern)}`)),
  ]
}

/** The command that accepts exactly what is shown; over two lines, since an id and a review are long. */
const acceptance = ({ ueid, review }: { readonly ueid: string; readonly review: string }): string[] => [
  'next: to accept all of this',
  `  keepseal device approve ${printable(ueid)} \\`,
  `    --seen ${printable(review)}`,
]

export function describeApproval(approval: v.InferOutput<typeof Approval>): string[] {
  const { activated, referenceId, resolvedFindings, withoutBaseline, ueid } = approval
  const facts = [
    ...(activated ? ['The device is active.'] : []),
    ...(referenceId === null ? [] : [`Reference values: ${printable(referenceId)} (unreviewed)`]),
    ...(resolvedFindings.length === 0 ? [] : [`Findings resolved: ${resolvedFindings.length}`]),
    ...(withoutBaseline === null ? [] : [`No new reference values: ${printable(withoutBaseline)}`]),
  ]
  const next = withoutBaseline === null ? [] : advice('', `after its next report: keepseal device approve ${ueid}`)
  return [...facts.flatMap((fact) => paragraph('', fact)), ...next]
}
