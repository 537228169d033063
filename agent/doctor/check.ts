import type { AgentConfig } from '../config/options.ts'
import type { Host } from '../sensors/host.ts'

export interface CheckContext {
  readonly config: AgentConfig
  readonly host: Host
}

/** What a check found. `unknown`: it could not be looked at, which is not the same as good. */
export interface CheckResult {
  readonly status: 'good' | 'warning' | 'failed' | 'unknown'
  readonly detail: string
  /** What to do next, where something is to be done. */
  readonly remedy?: string
}

export const good = (detail: string): CheckResult => ({ status: 'good', detail })

/** One thing that the agent needs. Checks are independent: each is made whatever the others say. */
export interface Check {
  readonly id: string
  readonly title: string
  run(context: CheckContext): Promise<CheckResult>
}
