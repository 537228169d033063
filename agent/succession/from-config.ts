import { fromBase64Url } from '../../shared/bytes/bytes.ts'
import { SuccessionAnswer } from '../../shared/evidence/renewal.ts'
import type { AgentConfig } from '../config/options.ts'
import { collectorAddresses, firstAnswer } from '../enrol/addresses.ts'
import { postSigned } from '../enrol/https-client.ts'
import type { Log } from '../log.ts'
import { authoritiesOf } from '../renew/from-config.ts'
import type { Identity } from '../state/identity.ts'
import { SuccessionKeeper } from './keeper.ts'

export interface KeepingSuccession {
  readonly config: AgentConfig
  readonly identity: Identity
  readonly log: Log
  /** Milliseconds since 1970 that it is at least. */
  readonly timeFloor: () => number
  readonly followed: (identity: Identity, moved: boolean) => void
}

/** The keeper of this device, as it is configured. */
export function successionKeeperOf({
  config,
  identity,
  log,
  timeFloor,
  followed,
}: KeepingSuccession): SuccessionKeeper {
  return new SuccessionKeeper({
    identity,
    stateDirectory: config.state.directory,
    followed,
    log,
    now: () => Math.max(Date.now(), timeFloor()),
    monotonic: () => performance.now(),
    ask: async (current) => {
      const authorities = await authoritiesOf(config, current)
      const { succession } = await firstAnswer(collectorAddresses(config, current), (address) => {
        const url = new URL('/enroll/v1/succession', address)
        // Whoever answers: what he says is signed, or nothing.
        return postSigned({ url, body: {}, authorities }, SuccessionAnswer, () => undefined)
      })
      return succession === null ? null : fromBase64Url(succession)
    },
  })
}
