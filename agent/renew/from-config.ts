import { existsSync } from 'node:fs'
import type { QuoteFunction } from '../attest/make-evidence.ts'
import type { AgentConfig } from '../config/options.ts'
import { collectorAddresses, firstAnswer } from '../enrol/addresses.ts'
import { authoritiesIn, systemAuthorities } from '../enrol/authorities.ts'
import type { Log } from '../log.ts'
import type { Identity } from '../state/identity.ts'
import { statePaths } from '../state/paths.ts'
import { renew } from './renew.ts'
import { Renewer } from './renewer.ts'

export interface Renewing {
  readonly config: AgentConfig
  readonly identity: Identity
  readonly quote: QuoteFunction | null
  readonly log: Log
  /** Milliseconds since 1970 that it is at least. */
  readonly timeFloor: () => number
  readonly random: () => number
  /** Told of each identity that has come into force. */
  readonly renewed: (identity: Identity) => void
  /** Before a renewal: this device may have slept through a change of its collector. Gives what it trusts then. */
  readonly upToDate: () => Promise<Identity>
}

/** The renewer of this device, as it is configured. */
export function renewerOf({ config, quote, log, timeFloor, upToDate, ...renewing }: Renewing): Renewer {
  const { directory } = config.state
  return new Renewer({
    ...renewing,
    log,
    begun: existsSync(statePaths(directory).pendingRenewal),
    now: () => Math.max(Date.now(), timeFloor()),
    renew: async () => {
      const identity = await upToDate()
      const authorities = await authoritiesOf(config, identity)
      return firstAnswer(collectorAddresses(config, identity), (collectorUrl) =>
        renew({
          identity,
          quote,
          stateDirectory: directory,
          collectorUrl,
          authorities,
          untrusted: ({ message }) =>
            log.warn(`renewing without a certificate of the collector that holds: ${message}`),
        }),
      )
    },
  })
}

/** The authority of the enrolment, and those that the enrolment itself was checked with. */
export async function authoritiesOf({ collector }: AgentConfig, { tls }: Identity): Promise<string> {
  const others = collector.caFile === '' ? await systemAuthorities() : await authoritiesIn(collector.caFile)
  return `${tls.certificateAuthority}\n${others ?? ''}`
}
