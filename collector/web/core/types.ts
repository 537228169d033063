import type { DeviceStanding } from '../../../shared/result/standing.ts'
/** What the pages read of the API's answers: docs/openapi says all of it. */

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** What to do next. */
  readonly remedy: string
}

export interface Account {
  readonly id: string
  readonly login: string
  readonly name: string
  readonly role: 'vendor' | 'operator' | 'certifier' | 'auditor'
  readonly vendor: string | null
}

export interface Session {
  readonly account: Account
  readonly csrfToken: string
}

export type Standing = DeviceStanding

export interface FleetChange {
  readonly ueid: string
  readonly model: string
  readonly serial: string
  readonly at: string
  readonly axis: string
  readonly from: string | null
  readonly to: string
  readonly cause: string | null
}

export interface ProductCounts {
  readonly productId: string
  readonly vendor: string
  readonly model: string
  readonly standings: Readonly<Partial<Record<Standing, number>>>
  readonly releases: readonly {
    readonly id: string | null
    readonly name: string | null
    readonly deviceCount: number
  }[]
}

export interface Fleet {
  readonly at: string
  readonly deviceCount: number
  readonly good: number
  readonly goodWithCertifiedTpm: number
  readonly notCovered: number
  readonly standings: Readonly<Record<Standing, number>>
  readonly products: readonly ProductCounts[]
  readonly changes: {
    readonly since: string
    readonly counts: readonly { readonly axis: string; readonly to: string; readonly count: number }[]
    readonly truncated: boolean
    readonly newest: readonly FleetChange[]
  }
}

export interface Device {
  readonly ueid: string
  readonly productId: string
  readonly vendor: string
  readonly model: string
  readonly hardwareRevision: string
  readonly serial: string
  readonly enrolment: string
  readonly identity: string
  readonly bootCoverage: string
  readonly imaVerdict: string
  readonly verdict: string
  readonly verdictCode: string | null
  readonly verdictTitle: string | null
  readonly latch: string
  readonly liveness: string
  readonly freshnessExtended: boolean
  readonly coverage: string
  readonly coverageReason: string | null
  readonly certificate: string | null
  readonly findingCount: number
  readonly suppressedCount: number
  readonly lastReceivedAt: string | null
  readonly lastFreshAt: string | null
  readonly agentVersion: string | null
  readonly enrolledAt: string
}

export interface FleetList {
  readonly total: number
  readonly offset: number
  readonly items: readonly Device[]
}

export interface Finding {
  readonly id: string
  readonly code: string
  readonly title: string
  readonly remedy: string
  readonly axis: string
  readonly severity: string
  readonly state: string
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
  readonly openedAt: string
  readonly lastSeenAt: string
}

export interface DeviceDetail extends Device {
  readonly deviceKeyThumbprint: string
  readonly postureDigest: string | null
  readonly pcrDigest: string | null
  readonly certificateNotAfter: string
  readonly labels: Readonly<Record<string, string>>
  readonly review: string
  readonly findings: readonly Finding[]
  readonly refusals: Readonly<Record<string, number>>
}

export interface Transition {
  readonly at: string
  readonly axis: string
  readonly from: string | null
  readonly to: string
  readonly cause: string | null
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

export interface BootDifference {
  readonly code: string
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
}

export interface Boot {
  readonly receivedAt: string
  readonly log: string
  readonly logProblem: { readonly code: string; readonly detail: string } | null
  readonly pcrs: readonly {
    readonly bank: string
    readonly pcr: number
    readonly value: string
    readonly status: string
    readonly events: number
  }[]
  readonly secureBoot: { readonly enabled: boolean | 'unknown' } | null
  readonly events: readonly {
    readonly pcr: number
    readonly part: string
    readonly name: string
    readonly digest: string
    readonly dataProven: boolean
    readonly description: string
  }[]
  readonly differences: readonly BootDifference[] | null
}

export interface Section {
  readonly id: string
  readonly digest: string
  readonly status: string
  readonly reason: string | null
  readonly content: unknown
}

export interface Posture {
  readonly postureDigest: string | null
  readonly sections: readonly Section[]
}
