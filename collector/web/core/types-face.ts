/** What the pages read about questions to devices, boots, rules and roll-outs. */

export interface Challenge {
  readonly id: string
  readonly status: 'waiting' | 'answered' | 'superseded' | 'expired'
  readonly askedAt: string
  readonly expiresAt: string
  readonly sentAt: string | null
  readonly tries: number
  readonly answer: {
    readonly at: string
    readonly evidenceHash: string
    readonly fresh: boolean
    readonly verdict: string
    readonly code: string | null
  } | null
}

export interface DeviceBoot {
  readonly bootId: string
  readonly firstReceivedAt: string
  readonly agentStarts: number
}

export interface ExplainedListeners {
  readonly release: { readonly id: string; readonly name: string } | null
  readonly items: readonly {
    readonly subject: string
    readonly allowedBy: 'rule' | 'captured' | null
    readonly rule: string | null
  }[]
}

export interface RollOut {
  readonly deviceCount: number
  readonly days: readonly { readonly day: string; readonly arrived: number; readonly total: number }[]
}
