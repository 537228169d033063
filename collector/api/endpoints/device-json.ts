import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { COVERAGE_REASONS, type Coverage } from '../../../shared/decisions/coverage.ts'
import { findings } from '../../../shared/codes/findings.ts'
import { outcomes } from '../../../shared/codes/outcomes.ts'
import type { Device, DeviceState } from '../../model/device.ts'
import { livenessOf, type LivenessTime } from '../../tracking/liveness.ts'
import { Digest, HexBytes, id, Time, toTime, toTimeOrNull, UeidText } from '../schemas.ts'
import { FindingJson } from './finding-json.ts'
import { attestationKeyPem } from '../../trust/attestation-key-pem.ts'

export const Enrolments = v.picklist(['pending', 'active', 'revoked'])
export const Livenesses = v.picklist(['never-seen', 'fresh', 'stale', 'silent'])
export const Verdicts = v.picklist(['affirming', 'warning', 'contraindicated', 'not-appraised'])

/** Each axis on its own: none of them stands for another. */
const deviceFields = {
  ueid: UeidText,
  productId: id('prd'),
  vendor: v.string(),
  model: v.string(),
  hardwareRevision: v.string(),
  serial: v.string(),
  enrolment: Enrolments,
  identity: v.picklist(['tpm-endorsed', 'tpm-tofu', 'software']),
  bootCoverage: v.picklist(['measured', 'partial', 'none']),
  /** Of the files that the kernel measured: an axis of its own, which is no part of the verdict where it is not known. */
  imaVerdict: v.picklist(['accepted', 'refused', 'not-appraised', 'not-reported']),
  verdict: Verdicts,
  /** What stands against `affirming`, and what that code means. */
  verdictCode: v.nullable(v.string()),
  verdictTitle: v.nullable(v.string()),
  latch: v.picklist(['none', 'failed', 'recovered-unacknowledged']),
  liveness: Livenesses,
  /** Fresh only because the collector was down or held devices back for a while, which is nobody's silence. */
  freshnessExtended: v.boolean(),
  /** Whether it counts as certified, and where not, why. */
  coverage: v.picklist(['covered', 'not-covered']),
  coverageReason: v.nullable(v.picklist(COVERAGE_REASONS)),
  /** The certificate that covers it, or nearly does. */
  certificate: v.nullable(v.string()),
  /** Findings that are not resolved. */
  findingCount: v.number(),
  /** Of them: those that do not act, by an exception. */
  suppressedCount: v.number(),
  lastReceivedAt: v.nullable(Time),
  lastFreshAt: v.nullable(Time),
  agentVersion: v.nullable(v.string()),
  /** How often it says that it reports, where that is less often than is usual: by this it becomes stale. */
  reportIntervalSeconds: v.nullable(v.number()),
  enrolledAt: Time,
  revokedAt: v.nullable(Time),
}
export const DeviceJson = v.strictObject(deviceFields)

export const DeviceDetail = v.strictObject({
  ...deviceFields,
  deviceKeyThumbprint: Digest,
  tpm: v.nullable(
    v.strictObject({
      ekName: HexBytes,
      akName: HexBytes,
      /** The attestation key, for checking a quote by other means. */
      akPem: v.string(),
      ekCertified: v.boolean(),
    }),
  ),
  /** The kernel's measurement list in this boot; null where none was ever verified. */
  ima: v.nullable(
    v.strictObject({
      /** Verified entries, and the bank of the PCR 10 that they were verified by. */
      entries: v.number(),
      bank: v.string(),
      /** Whether the list was found to belong to the boot that the firmware measured. */
      bootAggregate: v.picklist(['matches', 'unchecked', 'refused']),
      /** Entries that the policy allowed, and entries for which there was no policy. */
      allowed: v.number(),
      unjudged: v.number(),
      problems: v.number(),
      /** Each pattern of the policy that let something pass, and how many entries. */
      excluded: v.array(v.strictObject({ pattern: v.string(), entries: v.number() })),
    }),
  ),
  certificateNotAfter: Time,
  /** Of the newest fresh evidence. */
  postureDigest: v.nullable(Digest),
  pcrDigest: v.nullable(HexBytes),
  session: v.nullable(HexBytes),
  sequence: v.nullable(v.number()),
  labels: v.record(v.string(), v.string()),
  /** Names all of this; an approval says it, so that nothing else is approved. */
  review: v.string(),
  /** Those that are not resolved. */
  findings: v.array(FindingJson),
  /** How many of its messages were refused, by code. */
  refusals: v.record(v.string(), v.number()),
})

export interface DeviceView {
  readonly device: Device
  readonly state: DeviceState
  readonly findingCount: number
  readonly suppressedCount: number
  readonly coverage: Coverage
}

export function deviceJson(
  { device, state, findingCount, suppressedCount, coverage }: DeviceView,
  at: LivenessTime,
): v.InferOutput<typeof DeviceJson> {
  const { liveness, extended } = livenessOf(state, at)
  return {
    ueid: device.ueid,
    productId: device.productId,
    vendor: device.vendor,
    model: device.model,
    hardwareRevision: device.hardwareRevision,
    serial: device.serial,
    enrolment: device.enrolment,
    identity: device.identity,
    bootCoverage: state.bootCoverage,
    imaVerdict: state.ima?.verdict ?? 'not-reported',
    verdict: state.verdict,
    verdictCode: state.verdictCode,
    verdictTitle: titleOf(state.verdictCode),
    latch: state.latch,
    liveness,
    freshnessExtended: extended,
    coverage: coverage.coverage,
    coverageReason: coverage.reason,
    certificate: coverage.certificate,
    findingCount,
    suppressedCount,
    lastReceivedAt: toTimeOrNull(state.lastReceivedAt),
    lastFreshAt: toTimeOrNull(state.lastFreshAt),
    agentVersion: state.agentVersion,
    reportIntervalSeconds: state.reportInterval,
    enrolledAt: toTime(device.enrolledAt),
    revokedAt: toTimeOrNull(device.revokedAt),
  }
}

/** What only the page of one device shows. */
export function deviceDetails({ device, state }: Pick<DeviceView, 'device' | 'state'>) {
  const { tpm } = device
  return {
    deviceKeyThumbprint: toHex(device.deviceKeyThumbprint),
    tpm:
      tpm === null
        ? null
        : {
            ekName: toHex(tpm.ekName),
            akName: toHex(tpm.akName),
            akPem: attestationKeyPem(tpm.akPublic),
            ekCertified: device.identity === 'tpm-endorsed',
          },
    ima: imaJson(state.ima),
    certificateNotAfter: toTime(device.certificateNotAfter),
    postureDigest: hexOrNull(state.postureDigest),
    pcrDigest: hexOrNull(state.pcrDigest),
    session: hexOrNull(state.freshSession),
    sequence: state.freshSequence,
  }
}

function imaJson(state: DeviceState['ima']) {
  if (state === null || state.base === null) return null
  const { aggregate: bootAggregate, allowed, unjudged, problems, excluded } = state.summary
  const { entries, bank } = state.base
  return { entries, bank, bootAggregate, allowed, unjudged, problems, excluded: excluded.map((each) => ({ ...each })) }
}

const hexOrNull = (bytes: Uint8Array | null): string | null => (bytes === null ? null : toHex(bytes))

const titles: ReadonlyMap<string, string> = new Map(
  [...Object.entries(outcomes), ...Object.entries(findings)].map(([code, { title }]) => [code, title]),
)

function titleOf(code: string | null): string | null {
  return code === null ? null : (titles.get(code) ?? null)
}
