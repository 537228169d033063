import { existsSync } from 'node:fs'
import type { QuoteFunction } from '../attest/make-evidence.ts'
import type { AgentConfig } from '../config/options.ts'
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
}

/** The renewer of this device, as it is configured. */
export function renewerOf({ config, quote, log, timeFloor, ...renewing }: Renewing): Renewer {
  const { directory } = config.state
  return new Renewer({
    ...renewing,
    log,
    begun: existsSync(statePaths(directory).pendingRenewal),
    now: () => Math.max(Date.now(), timeFloor()),
    renew: async (identity) =>
      renew({
        identity,
        quote,
        stateDirectory: directory,
        collectorUrl: config.collector.url === '' ? identity.collector.url : config.collector.url,
        authorities: await authoritiesOf(config, identity),
        untrusted: ({ message }) => log.warn(`renewing without a certificate of the collector that holds: ${message}`),
      }),
  })
}

/** The authority of the enrolment, and those that the enrolment itself was checked with. */
async function authoritiesOf({ collector }: AgentConfig, { tls }: Identity): Promise<string> {
  const others = collector.caFile === '' ? await systemAuthorities() : await authoritiesIn(collector.caFile)
  return `${tls.certificateAuthority}\n${others ?? ''}`
}
