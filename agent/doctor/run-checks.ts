import type { AgentConfig } from '../config/options.ts'
import { knowSelf } from '../self/self.ts'
import { createHost } from '../sensors/host.ts'
import type { CheckResult } from './check.ts'
import { CHECKS } from './checks.ts'

export interface Checked extends CheckResult {
  readonly id: string
  readonly title: string
}

/** Makes every check, whatever the others say. */
export function runChecks(config: AgentConfig): Promise<readonly Checked[]> {
  const host = createHost({ root: config.host.root, self: knowSelf(config) })
  return Promise.all(
    CHECKS.map(async ({ id, title, run }): Promise<Checked> => {
      const failed = (error: unknown): CheckResult => ({ status: 'unknown', detail: String(error) })
      return { id, title, ...(await run({ config, host }).catch(failed)) }
    }),
  )
}
