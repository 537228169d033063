import * as v from 'valibot'
import type { Output } from '../../../shared/cli/output.ts'
import { printable } from '../../../shared/text/printable.ts'
import { describeFindings, Finding } from './finding.ts'
import { timeText, toneOf } from './listing.ts'

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
  verdict: v.string(),
  verdictCode: v.nullable(v.string()),
  verdictTitle: v.nullable(v.string()),
  latch: v.string(),
  liveness: v.string(),
  lastFreshAt: v.nullable(v.string()),
  lastReceivedAt: v.nullable(v.string()),
  agentVersion: v.nullable(v.string()),
  enrolledAt: v.string(),
})

export const DeviceDetail = v.looseObject({
  ...Device.entries,
  postureDigest: v.nullable(v.string()),
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
  const line = (name: string, value: string): string => `${name.padEnd(12)} ${value}`
  const { vendor, model, hardwareRevision, serial, verdictCode, verdictTitle } = device
  const refusals = Object.entries(device.refusals).map(([code, count]) => `${printable(code)} ${count}`)
  return [
    line('device', printable(device.ueid)),
    line('product', printable(`${vendor} ${model}, revision ${hardwareRevision}`)),
    line('', printable(device.productId)),
    line('serial', printable(serial)),
    line('enrolment', `${word(device.enrolment)}, ${printable(timeText(device.enrolledAt))}`),
    line('identity', word(device.identity)),
    line('boot', printable(device.bootCoverage)),
    line('verdict', word(device.verdict)),
    ...(verdictCode === null ? [] : [line('', printable(verdictCode))]),
    ...(verdictTitle === null ? [] : [line('', printable(verdictTitle))]),
    line('latch', word(device.latch)),
    line('liveness', `${word(device.liveness)}, last fresh ${printable(timeText(device.lastFreshAt))}`),
    line('agent', printable(device.agentVersion ?? '-')),
    line('posture', printable(device.postureDigest ?? '-')),
    ...refusals.map((text, index) => line(index === 0 ? 'refused' : '', text)),
    line('findings', device.findings.length === 0 ? 'none' : String(device.findings.length)),
    ...describeFindings(device.findings, { style }).map((text) => `  ${text}`),
    ...(device.enrolment === 'pending' ? [`next: keepseal device approve ${printable(device.ueid)}`] : []),
  ]
}

export function describeApproval(approval: v.InferOutput<typeof Approval>): string[] {
  const { activated, referenceId, resolvedFindings, withoutBaseline, ueid } = approval
  return [
    ...(activated ? ['The device is active.'] : []),
    ...(referenceId === null ? [] : [`Its reference values are ${printable(referenceId)} (unreviewed).`]),
    ...(resolvedFindings.length === 0 ? [] : [`Findings resolved: ${resolvedFindings.length}.`]),
    ...(withoutBaseline === null
      ? []
      : [
          `It has no reference values of its own yet: ${printable(withoutBaseline)}.`,
          `next: keepseal device approve ${printable(ueid)}, after its next report`,
        ]),
  ]
}
