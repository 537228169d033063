import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Signer } from '../../shared/cose/sign1.ts'
import { signEarCwt } from '../../shared/result/ear.ts'
import { PeriodicWork } from '../periodic-work.ts'
import type { Decisions } from '../decisions/decision-book.ts'
import type { Store } from '../store/index.ts'
import type { LivenessTime } from './liveness.ts'
import { resultOf } from './result.ts'

export interface ResultRenewalOptions {
  readonly store: Store
  readonly decisions: Pick<Decisions, 'register'>
  /** The collector's key, as for epochs. */
  readonly signer: Signer
  /** Of the collector, which results name. */
  readonly version: string
  readonly livenessTime: () => LivenessTime
  readonly logger: Pick<Logger, 'error' | 'warn'>
  readonly isLeader: () => Promise<boolean>
  /** How old the newest result of a device may become. */
  readonly maxAgeMs: number
}

const EVERY_MS = 10_000
/** What is signed in one transaction, and in one look: whoever switches this on with a million devices is patient. */
const BATCH = 50
const MOST = 5_000
const PAUSE_MS = 5

/**
 * Signs the newest result of a device anew when it has become old, so that whoever goes by what is stored finds one of
 * bounded age. Nobody is told of it: nothing has changed. One collector does it for all.
 */
export class ResultRenewal extends PeriodicWork {
  readonly #options: ResultRenewalOptions

  constructor(options: ResultRenewalOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'old results could not be signed anew' })
    this.#options = options
  }

  /** Signs what is due, the oldest first and within a bound; how many. */
  async look(): Promise<number> {
    const { store, livenessTime, isLeader, maxAgeMs, logger } = this.#options
    let signed = 0
    while (signed < MOST && !this.isStopped && (await isLeader())) {
      const due = await store.newestResults.issuedBefore(livenessTime().now - maxAgeMs, BATCH)
      if (due.length === 0) return signed
      await this.#sign(due.map(({ ueid }) => ueid))
      signed += due.length
      await sleep(PAUSE_MS)
    }
    if (signed >= MOST) logger.warn({ signed }, 'more results are old than are signed anew at once')
    return signed
  }

  #sign(ueids: Parameters<Store['transactionOf']>[0]): Promise<void> {
    const { store, signer, livenessTime } = this.#options
    return store.transactionOf(ueids, async (own) => {
      for (const ueid of ueids) {
        const device = await own.devices.byUeid(ueid)
        if (device === undefined) continue
        const at = livenessTime()
        const cwt = await signEarCwt(await resultOf(own, device, at, this.#options), 'current', signer)
        await own.newestResults.put({ deviceId: device.id, issuedAt: at.now, cwt, keyId: signer.keyId })
      }
    })
  }
}
