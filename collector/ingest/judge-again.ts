import type { Logger } from 'pino'
import { OutcomeError } from '../../shared/errors.ts'
import type { Device, DeviceState } from '../model/device.ts'
import type { Store } from '../store/index.ts'
import { presentReleases, releaseSetKey } from '../releases/release-set.ts'
import type { EvidenceDependencies, Handled } from './evidence-handler.ts'
import { reappraise } from './reconsider.ts'

/** Devices that are judged within one transaction: evidence waits no longer than this takes. */
const BATCH = 50

/**
 * Judges the devices of a product by the releases as they count now, where they were judged by others: after a release
 * was put in force or taken out of it, and when a closing date has passed. What was judged by is stored with each
 * device, so that nothing is lost by a restart. `onHandled` is told after each commit.
 */
export async function judgeAgain(
  store: Store,
  productId: string,
  deps: EvidenceDependencies,
  now: number,
  onHandled: (handled: Handled) => void = () => undefined,
): Promise<number> {
  const judgedBy = releaseSetKey(presentReleases(await store.releases.ofProduct(productId), now))
  let judged = 0
  for (;;) {
    const handled = await store.transaction((transaction) => judgeSome(transaction, productId, judgedBy, deps, now))
    if (handled.length === 0) return judged
    judged += handled.length
    for (const each of handled) if (each !== undefined) onHandled(each)
  }
}

async function judgeSome(
  store: Store,
  productId: string,
  judgedBy: string,
  deps: EvidenceDependencies,
  now: number,
): Promise<readonly (Handled | undefined)[]> {
  const handled: (Handled | undefined)[] = []
  for (const id of await store.releases.toJudge(productId, judgedBy, BATCH)) {
    const device = await store.devices.byId(id)
    const state = await store.devices.stateOf(id)
    handled.push(device === undefined ? undefined : await judgeOne(store, device, state, deps, now))
    // Also where its evidence is not kept, and there is nothing to judge: it is judged with its next report.
    const after = await store.devices.stateOf(id)
    if (after.release.judgedBy !== judgedBy) {
      await store.devices.saveState(id, { ...after, release: { ...after.release, judgedBy } })
    }
  }
  return handled
}

/** One whose newest evidence an earlier version has taken, and this one cannot read, must not keep the others waiting. */
async function judgeOne(
  store: Store,
  device: Device,
  state: DeviceState,
  deps: EvidenceDependencies,
  now: number,
): Promise<Handled | undefined> {
  try {
    return await reappraise(store, device, state, deps, { now, judgedAt: now })
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}

export interface ReleaseClockOptions {
  readonly store: Store
  readonly deps: EvidenceDependencies
  readonly clock: () => number
  readonly logger: Logger
  readonly onHandled?: (handled: Handled) => void
  /** How often is looked whether a date has passed. */
  readonly periodMs?: number
}

const PERIOD_MS = 10_000
/** Looks after which devices are looked through although nothing has changed: some ten minutes. */
const LOOKS = 60

/** Lets closing dates act by time alone. Looks at stored dates each time: there is nothing to forget. */
export class ReleaseClock {
  readonly #options: ReleaseClockOptions
  readonly #done = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #isAskedAgain = false
  #looks = 0

  constructor(options: ReleaseClockOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#options.periodMs ?? PERIOD_MS)
    this.look()
  }

  /** `again`: a release or a device was decided about, so that devices have to be judged whatever was found before. */
  look(again = false): void {
    if (again) this.#done.clear()
    if (this.#running !== undefined) {
      this.#isAskedAgain ||= again
      return
    }
    this.#running = this.#look()
      .catch((error: unknown) => this.#options.logger.error({ err: error }, 'devices were not judged again'))
      .finally(() => {
        this.#running = undefined
        if (this.#isAskedAgain) this.look(true)
      })
    this.#isAskedAgain = false
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#isAskedAgain = false
    await this.#running
  }

  async #look(): Promise<void> {
    const { store, deps, clock, logger, onHandled } = this.#options
    // A report that was on its way when a date passed may have been judged by what counted before.
    this.#looks = (this.#looks + 1) % LOOKS
    if (this.#looks === 0) this.#done.clear()
    for (const productId of await store.releases.productsWithReleases()) {
      const now = clock()
      const key = releaseSetKey(presentReleases(await store.releases.ofProduct(productId), now))
      if (this.#done.get(productId) === key) continue
      const judged = await judgeAgain(store, productId, deps, now, onHandled)
      if (judged > 0) logger.info({ productId, devices: judged }, 'devices were judged by other releases')
      this.#done.set(productId, key)
    }
  }
}
