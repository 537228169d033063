/** What the pages about products, certificates and cases read of the API's answers. */

export interface Product {
  readonly id: string
  readonly vendor: string
  readonly model: string
  readonly isCertified: boolean
}

export interface Release {
  readonly id: string
  readonly productId: string
  readonly name: string
  readonly digest: string
  readonly seen: string
  readonly state: 'draft' | 'approved' | 'active' | 'superseded' | 'revoked'
  readonly standing: string
  readonly authors: readonly string[]
  readonly createdAt: string
  readonly approved: { readonly by: string; readonly at: string } | null
  readonly countersigned: { readonly by: string; readonly at: string } | null
  readonly activatedAt: string | null
  readonly acceptedUntil: string | null
  readonly isMinimum: boolean
  readonly deviceCount: number
  readonly history?: readonly { readonly at: string; readonly action: string; readonly person: string }[]
}

export interface ReleaseChange {
  readonly part: string
  readonly about: string
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
}

export interface FleetDiff {
  readonly devices: number
  readonly unknown: number
  readonly verdicts: readonly { readonly before: string; readonly after: string; readonly devices: number }[]
  readonly opens: readonly DiffCount[]
  readonly closes: readonly DiffCount[]
}

export interface DiffCount {
  readonly code: string
  readonly subject: string
  readonly devices: number
  readonly example: string
}

export interface FindingSummary {
  readonly deviceCount: number
  readonly omitted: number
  readonly items: readonly {
    readonly code: string
    readonly title: string
    readonly severity: string
    readonly subject: string
    readonly release: string | null
    readonly deviceCount: number
    readonly ofDevices: number
  }[]
}

export interface Practice {
  readonly practice: string
  readonly name: string
  readonly domain: string
  readonly target: number | null
  readonly counts: boolean
  readonly supported: number
  readonly conformity: string
  readonly since: string | null
  readonly coverage: { readonly known: number; readonly denominator: number } | null
  readonly confirmed: { readonly by: string; readonly at: string; readonly reason: string } | null
  readonly reasons: readonly {
    readonly code: string
    readonly text: string
    readonly restore: string
    readonly level?: number
  }[]
}

export interface Practices {
  readonly productId: string
  readonly evaluatedAt: string | null
  readonly conformity: string
  readonly items: readonly Practice[]
}

export interface Sample {
  readonly day: string
  readonly value: number | null
  readonly known: number
  readonly denominator: number
}

export interface Signal {
  readonly signal: string
  readonly title: string
  readonly unit: string
  readonly objective: string
  readonly shown: string
}

export interface PracticeDetail extends Practice {
  readonly signals: readonly Signal[]
  readonly changes: readonly { readonly from: string | null; readonly to: string; readonly at: string }[]
}

export interface AttestedDocument {
  readonly id: string
  readonly kind: string
  readonly practices: readonly string[]
  readonly criterion: string
  readonly products: readonly string[]
  readonly issued: string
  readonly validUntil: string
  readonly standing: string
  readonly counts: boolean
}

export interface Certificate {
  readonly id: string
  readonly number: string
  readonly profile: { readonly id: string; readonly version: number; readonly digest: string }
  readonly products: readonly {
    readonly product: string
    readonly hardwareRevisions: readonly string[]
    readonly firmwareLines: readonly string[]
    readonly representative: boolean
    readonly rationale: string
  }[]
  readonly line: { readonly name: string; readonly codeBase: string; readonly hardware: string } | null
  readonly state: string
  readonly reason: string
  readonly expired: boolean
  readonly conditionsOverdue: boolean
  readonly conditions: { readonly text: string; readonly until: string } | null
  readonly suspension: { readonly since: string; readonly until: string } | null
  readonly claimsAllowedFor: readonly string[]
  readonly issuedAt: string | null
  readonly validFrom: string
  readonly validUntil: string
  readonly supportUntil: string
}

export interface Profile {
  readonly profile: {
    readonly id: string
    readonly title: string | null
    readonly nextReviewDue: string | null
    readonly reviewOverdue: boolean
  }
  readonly document: {
    readonly title: string
    readonly summary?: string
    readonly practices: Readonly<
      Record<string, { readonly target: { readonly level: number; readonly scope: string }; readonly priority: string }>
    >
    readonly limitations: readonly {
      readonly id: string
      readonly title: string
      readonly reason: string
      readonly compensation: { readonly text: string } | null
    }[]
    readonly assumptions: readonly { readonly id: string; readonly text: string }[]
  } | null
}

export interface Case {
  readonly id: string
  readonly productId: string
  readonly certificateId: string
  readonly cause: string
  readonly subject: string
  readonly title: string
  readonly trigger: string
  readonly severity: string
  readonly state: string
  readonly openedAt: string
  readonly due: string | null
  readonly overdue: boolean
}

export interface CaseStep {
  readonly by: string
  readonly at: string
  readonly name: string
  readonly role: string | null
  readonly index: number
  readonly step: string
  readonly state: string
}

export interface CaseDetail extends Case {
  readonly decided: DecidedCase | null
  readonly facts: Readonly<Record<string, unknown>>
  readonly identity: Readonly<Record<string, unknown>>
  readonly deadlines: readonly {
    readonly id: string
    readonly title: string
    readonly due: string
    readonly metAt: string | null
    readonly overdue: boolean
    readonly legal: boolean
  }[]
  readonly next: {
    readonly who: string
    readonly what: string
    readonly verb: string | null
    readonly decide: string | null
  } | null
  readonly history: readonly CaseStep[]
  readonly affectedUnits: number
  readonly fleet: {
    readonly since: number
    readonly shown: number
    readonly declared: number
    readonly wanted: number
  } | null
  readonly findings: readonly {
    readonly id: string
    readonly deviceUeid: string
    readonly code: string
    readonly title: string
    readonly subject: string
    readonly state: string
  }[]
  readonly findingCount: number
}

export interface DecidedCase {
  readonly impact: {
    readonly summary: string
    readonly changes: readonly { readonly what: string; readonly effect: string }[]
    readonly practices: readonly string[]
    readonly affectedEvidence: readonly string[]
    readonly proposedClass: string
  } | null
  readonly scope: { readonly practices: readonly string[] } | null
}

export interface Guard {
  readonly code: string
  readonly wants: string
  readonly wrong: string | null
}

export interface Person {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly keyId: string
  readonly key: string
  readonly passkey: { readonly id: string; readonly origins: readonly string[] } | null
  readonly revokedAt: string | null
}

export interface List<T> {
  readonly items: readonly T[]
}
