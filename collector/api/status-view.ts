import { CoverageReader } from '../decisions/coverage.ts'
import { findings } from '../../shared/codes/findings.ts'
import type { Enrolment, Verdict } from '../model/device.ts'
import { OPEN_STATES } from '../../shared/decisions/cases/case.ts'
import { causeOf } from '../../shared/maturity/causes.ts'
import type { ReassessmentCase } from '../model/case.ts'
import { deviceJson, type DeviceJson } from './endpoints/device-json.ts'
import type { ApiServices } from './services.ts'
import { toTimeOrNull } from './schemas.ts'
import type * as v from 'valibot'

const SHOWN = 100

/** What the status page shows. */
export interface StatusView {
  readonly version: string
  /** Who operates the collector; empty before its decision log begins. */
  readonly operator: string
  readonly shownAt: number
  /** By how much the clock of this machine was stepped; 0 while it is trusted. */
  readonly clockStepSeconds: number
  readonly devices: readonly v.InferOutput<typeof DeviceJson>[]
  readonly deviceCount: number
  readonly byEnrolment: ReadonlyMap<Enrolment, number>
  readonly byVerdict: ReadonlyMap<Verdict, number>
  readonly findings: readonly {
    readonly ueid: string
    readonly code: string
    readonly title: string
    readonly subject: string
    readonly severity: string
    readonly state: string
  }[]
  readonly findingCount: number
  /** Of them: those that do not act, and by how many exceptions. */
  readonly suppressed: { readonly findings: number; readonly exceptions: number }
  readonly cases: readonly (ReassessmentCase & { readonly title: string })[]
  readonly caseCount: number
  readonly newestAttestation: string | null
}

export async function readStatus({
  store,
  decisions,
  clock,
  clockStep,
  livenessTime,
  version,
}: ApiServices): Promise<StatusView> {
  const now = clock()
  const summary = await store.summary()
  const page = await store.devices.list({ limit: SHOWN })
  const ids = page.items.map(({ device }) => device.id)
  const counts = await store.findings.unresolvedCounts(ids)
  const suppressed = await store.findingExceptions.suppressedCounts(ids, now)
  const countsOf = (id: number) => ({ findingCount: counts.get(id) ?? 0, suppressedCount: suppressed.get(id) ?? 0 })
  const listed = await store.findings.list({ limit: SHOWN }, { state: ['open', 'recovered'] })
  const cases = await store.cases.list({ limit: SHOWN }, { state: OPEN_STATES })
  const reader = new CoverageReader(store, decisions)
  const devices = []
  for (const { device, state } of page.items) {
    const view = { device, state, ...countsOf(device.id) }
    devices.push(deviceJson({ ...view, coverage: await reader.of(device, state, now) }, livenessTime()))
  }
  return {
    version,
    operator: (await decisions.register()).operator,
    shownAt: now,
    clockStepSeconds: Math.round((clockStep?.()?.offsetMs ?? 0) / 1000),
    devices,
    deviceCount: summary.devices,
    byEnrolment: summary.byEnrolment,
    byVerdict: summary.byVerdict,
    findings: listed.items.map(({ finding: { code, subject, severity, state }, ueid }) => ({
      ueid,
      code,
      title: findings[code].title,
      subject,
      severity,
      state,
    })),
    findingCount: summary.unresolvedFindings,
    suppressed: await store.findingExceptions.suppressedNow(now),
    cases: cases.items.map((record) => ({ ...record, title: causeOf(record.cause).title })),
    caseCount: summary.unclosedCases,
    newestAttestation: toTimeOrNull(summary.newestFreshAt),
  }
}
