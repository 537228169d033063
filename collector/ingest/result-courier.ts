import type { Logger } from 'pino'
import { HELD_RESULT } from '../../shared/evidence/state.ts'
import { PeriodicWork } from '../periodic-work.ts'
import type { Store } from '../store/index.ts'
import { comesAndGoes } from './comes-and-goes.ts'
import type { Handled } from './evidence-handler.ts'
import type { ResultDelivery } from '../store/result-deliveries.ts'
import type { TellResult } from './tell-result.ts'

export interface ResultCourierOptions {
  readonly store: Pick<Store, 'resultDeliveries'>
  readonly tell: TellResult
  readonly logger: Pick<Logger, 'error' | 'warn'>
}

const EVERY_MS = 2_000
/** Devices that are remembered from one look to the next, and that are asked for at once. */
const MOST = 50_000
const PART = 500
/** An agent that does not know these messages would be sent them for ever. */
const MAX_TRIES = 5

/**
 * Tells devices again what they were told before and do not hold: a device without a connection misses what is sent, so
 * its next evidence is answered with it. What an evidence says its device holds is not sent again. A device about which
 * nothing is owed costs a look-up, and no message.
 */
export class ResultCourier extends PeriodicWork {
  readonly #options: ResultCourierOptions
  /** By device: the number of the result that its newest evidence says it holds. */
  #heard = new Map<number, number>()

  constructor(options: ResultCourierOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'it could not be looked which results devices lack' })
    this.#options = options
  }

  /** Of an evidence that was decided. More than there is room for waits for the next evidence of the same device. */
  handled({ device, result, appraisal }: Handled): void {
    if (device === null || appraisal === null || result === 'reconsidered' || !appraisal.newest) return
    if (this.#heard.size >= MOST && !this.#heard.has(device.id)) return
    const held = appraisal.evidence.claims.state.get(HELD_RESULT)
    this.#heard.set(device.id, typeof held === 'number' ? held : 0)
    if (comesAndGoes(appraisal)) this.hurry()
  }

  /** How many devices were sent their result. */
  async look(): Promise<number> {
    const heard = [...this.#heard]
    this.#heard = new Map()
    let sent = 0
    for (let at = 0; at < heard.length && !this.isStopped; at += PART) {
      sent += await this.#answer(new Map(heard.slice(at, at + PART)))
    }
    return sent
  }

  async #answer(heard: ReadonlyMap<number, number>): Promise<number> {
    const { store, tell, logger } = this.#options
    const owed = await store.resultDeliveries.of([...heard.keys()])
    // A greater number is one of before a restore, which says nothing about this one.
    const isHeld = ({ deviceId, number }: ResultDelivery): boolean => heard.get(deviceId) === number
    const lacking = owed.filter((each) => !isHeld(each))
    const sent = await Promise.all(
      lacking.map(async (each) => {
        try {
          await tell(each)
          return each
        } catch (error) {
          logger.warn({ err: error, ueid: each.ueid }, 'a result was not sent; the next evidence is answered with it')
          return undefined
        }
      }),
    )
    const tried = sent.filter((each) => each !== undefined)
    const isOver = ({ tries }: ResultDelivery): boolean => tries + 1 >= MAX_TRIES
    await store.resultDeliveries.tried(tried.filter((each) => !isOver(each)).map(({ deviceId }) => deviceId))
    await store.resultDeliveries.settle([...owed.filter(isHeld), ...tried.filter(isOver)])
    return tried.length
  }
}
