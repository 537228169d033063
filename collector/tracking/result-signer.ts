import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Signer } from '../../shared/cose/sign1.ts'
import { signEarCwt } from '../../shared/result/ear.ts'
import type { Decisions } from '../decisions/decision-book.ts'
import type { Store } from '../store/index.ts'
import type { ResultDelivery } from '../store/result-deliveries.ts'
import type { ChangedDevice } from '../store/signed-results.ts'
import type { LivenessTime } from './liveness.ts'
import { resultOf } from './result.ts'
import { PeriodicWork } from '../periodic-work.ts'

export interface ResultSignerOptions {
  readonly store: Store
  readonly decisions: Pick<Decisions, 'register'>
  /** The collector's key, as for epochs. */
  readonly signer: Signer
  /** Of the collector, which results name. */
  readonly version: string
  readonly livenessTime: () => LivenessTime
  readonly logger: Pick<Logger, 'debug' | 'error' | 'info'>
  readonly isLeader: () => Promise<boolean>
  /** Sends a device its result. */
  readonly tell: (delivery: ResultDelivery) => Promise<void>
}

const EVERY_MS = 10_000
/** Devices that are looked up at once, and that are signed about in one transaction. */
const PART = 500
const BATCH = 20
const PAUSE_MS = 5
/** A transition that is not to be seen after this time does not come to light any more. */
const SETTLES_MS = 300_000

/**
 * Signs a result about each device that has changed, which an auditor can check later. What is stored is all it goes by,
 * so that a restart or another leader signs nothing twice and forgets nothing. One collector does it for all.
 */
export class ResultSigner extends PeriodicWork {
  readonly #options: ResultSignerOptions

  constructor(options: ResultSignerOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'it could not be looked which devices have changed' })
    this.#options = options
  }

  /** Signs about every device that has changed since its newest result; about how many. */
  async look(): Promise<number> {
    const { store, livenessTime, isLeader, logger } = this.#options
    const begun = livenessTime().now
    let signed = 0
    let isComplete = true
    let after = 0
    for (let more = true; more;) {
      if (!(await isLeader())) return signed
      const devices = await store.signedResults.changed(after, PART)
      more = devices.length === PART
      after = devices.at(-1)?.deviceId ?? after
      for (let at = 0; at < devices.length; at += BATCH) {
        if (this.isStopped || !(await isLeader())) return signed
        const batch = devices.slice(at, at + BATCH)
        const done = await this.#signEach(batch)
        signed += done.signed
        isComplete &&= done.failed === 0
        await sleep(PAUSE_MS)
      }
    }
    if (isComplete) await store.signedResults.settle(begun - SETTLES_MS)
    if (signed > 0) logger.info({ devices: signed }, 'results of devices that have changed are signed')
    return signed
  }

  /** One device about which nothing can be said holds up no other one. */
  async #signEach(devices: readonly ChangedDevice[]): Promise<{ readonly signed: number; readonly failed: number }> {
    try {
      const { signed, present } = await this.#sign(devices)
      await this.#tell(present)
      return { signed, failed: 0 }
    } catch (error) {
      const [only] = devices
      if (devices.length <= 1) {
        this.#options.logger.error({ err: error, ueid: only?.ueid }, 'no result could be signed about a device')
        return { signed: 0, failed: 1 }
      }
      const total = { signed: 0, failed: 0 }
      for (const device of devices) {
        const { signed, failed } = await this.#signEach([device])
        total.signed += signed
        total.failed += failed
      }
      return total
    }
  }

  /** Whom this does not reach is told when it reports: see ResultCourier. */
  async #tell(present: readonly number[]): Promise<void> {
    const { store, tell, logger } = this.#options
    const failed = (error: unknown): void => logger.debug({ err: error }, 'a result was not sent yet')
    try {
      const owed = await store.resultDeliveries.of(present)
      await Promise.all(owed.map((delivery) => tell(delivery).catch(failed)))
    } catch (error) {
      failed(error)
    }
  }

  /**
   * The devices do not change meanwhile: each result says what its transition has led to. `present`: those that are
   * likely to be connected now.
   */
  #sign(devices: readonly ChangedDevice[]): Promise<{ readonly signed: number; readonly present: readonly number[] }> {
    const { store, signer, livenessTime } = this.#options
    const ueids = devices.map(({ ueid }) => ueid)
    return store.transactionOf(ueids, async (own) => {
      let signed = 0
      const present: number[] = []
      for (const { deviceId, ueid } of devices) {
        const transitionId = await own.signedResults.unsignedTransition(deviceId)
        const device = await own.devices.byUeid(ueid)
        if (transitionId === undefined || device === undefined) continue
        const at = livenessTime()
        const content = await resultOf(own, device, at, this.#options)
        const cwt = await signEarCwt(content, 'current', signer)
        const result = { deviceId, issuedAt: at.now, cwt, keyId: signer.keyId }
        await own.signedResults.add({ ...result, transitionId })
        await own.newestResults.put(result)
        await own.resultDeliveries.owe(deviceId, transitionId)
        if (content.liveness === 'fresh') present.push(deviceId)
        signed += 1
      }
      return { signed, present }
    })
  }
}
