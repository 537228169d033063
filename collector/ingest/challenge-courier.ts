import type { Logger } from 'pino'
import { createChallenge } from '../../shared/evidence/challenge.ts'
import { downTopic } from '../../shared/evidence/topics.ts'
import { PeriodicWork } from '../periodic-work.ts'
import type { WaitingChallenge } from '../store/attestation-challenges.ts'
import type { Store } from '../store/index.ts'
import { isDue } from '../tracking/challenges/challenge.ts'
import type { CollectorKeys } from '../trust/keys.ts'
import { comesAndGoes } from './comes-and-goes.ts'
import type { DeviceChannel } from './device-channel.ts'
import type { Handled } from './evidence-handler.ts'
import { macKeyOf } from './receipts.ts'

export interface ChallengeCourierOptions {
  readonly store: Pick<Store, 'attestationChallenges'>
  readonly keys: Pick<CollectorKeys, 'receiptKeyOf'>
  readonly channel: Pick<DeviceChannel, 'publish'>
  readonly clock: () => number
  readonly logger: Pick<Logger, 'error' | 'warn'>
}

const EVERY_MS = 1_000
const MOST = 50_000
const PART = 500

/** Sends devices what they were asked, and those that were away when it was sent once more when they are heard of. */
export class ChallengeCourier extends PeriodicWork {
  readonly #options: ChallengeCourierOptions
  #heard = new Set<number>()

  constructor(options: ChallengeCourierOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'it could not be looked what devices are asked' })
    this.#options = options
  }

  /** Of an evidence that was decided. More than there is room for waits for the next evidence of the same device. */
  handled({ device, result, appraisal }: Handled): void {
    if (device === null || result === 'reconsidered' || this.#heard.size >= MOST) return
    this.#heard.add(device.id)
    if (comesAndGoes(appraisal)) this.hurry()
  }

  /** How many were sent. */
  async look(): Promise<number> {
    const { store, clock } = this.#options
    const heard = this.#heard
    this.#heard = new Set()
    let sent = await this.#send(await store.attestationChallenges.unsent(clock(), PART), heard)
    const ids = [...heard]
    for (let at = 0; at < ids.length && !this.isStopped; at += PART) {
      sent += await this.#send(await store.attestationChallenges.waitingOf(ids.slice(at, at + PART), clock()), heard)
    }
    return sent
  }

  async #send(waiting: readonly WaitingChallenge[], heard: ReadonlySet<number>): Promise<number> {
    const { store, keys, channel, clock, logger } = this.#options
    let sent = 0
    for (const { challenge, ...device } of waiting) {
      const { number, nonce, expiresAt } = challenge
      if (!isDue(challenge, heard.has(challenge.deviceId), clock())) continue
      if (!(await store.attestationChallenges.take(challenge, clock()))) continue
      const message = { number, nonce, expiresAt: Math.floor(expiresAt / 1000) }
      const bytes = createChallenge(device.ueid, message, macKeyOf(keys, device))
      try {
        await channel.publish(downTopic(device.ueid), bytes, { retain: false })
        sent++
      } catch (error) {
        logger.warn(
          { err: error, ueid: device.ueid },
          'a challenge was not sent; the next evidence is answered with it',
        )
      }
    }
    return sent
  }
}
