import { ChallengeCourier } from '../ingest/challenge-courier.ts'
import { EmbeddedBroker } from '../ingest/embedded-broker.ts'
import { Ingest } from '../ingest/ingest.ts'
import { RateLimiter } from '../ingest/rate-limiter.ts'
import { ResultCourier } from '../ingest/result-courier.ts'
import { tellResult } from '../ingest/tell-result.ts'
import { verifyAhead } from '../ingest/verify/ahead.ts'
import { VerificationPool } from '../ingest/verify/pool.ts'
import { RATED_DEVICES } from './dependencies.ts'
import type { ConnectedFoundation } from './foundation.ts'
import type { RunningRole } from './role.ts'

/** Takes messages of devices in, decides them and answers. Any number of processes may, on one database. */
export async function startIngest(foundation: ConnectedFoundation): Promise<RunningRole> {
  const { config, store, deps, keys, clock, logger, channel, metrics, attendance } = foundation
  const { workers } = config.ingest
  const onFailure = (error: unknown): void => {
    metrics.failed()
    logger.error({ err: error }, 'a thread that checks signatures has failed; its messages are checked without it')
  }
  const pool = workers === 0 ? undefined : new VerificationPool({ workers, onFailure })
  const courier = new ResultCourier({ store, tell: tellResult(channel, keys), logger })
  const challenges = new ChallengeCourier({ store, keys, channel, clock, logger })
  const onHandled: typeof foundation.onHandled = (handled) => {
    foundation.onHandled(handled)
    courier.handled(handled)
    challenges.handled(handled)
  }
  const ingest = new Ingest({
    store,
    clock,
    logger,
    deps,
    rate: {
      limiter: new RateLimiter({
        capacity: config.limits.deviceMessagesPerMinute,
        periodMs: 60_000,
        devices: RATED_DEVICES,
      }),
      excess: channel instanceof EmbeddedBroker ? 'delay' : 'drop',
    },
    ...(pool && { verifyAhead: verifyAhead(store, pool, config.limits.messageBytes) }),
    publish: ({ topic, bytes }) => channel.publish(topic, bytes, { retain: false }),
    onHandled,
    onFailure: () => metrics.failed(),
    onSetAside: (count) => metrics.setAside(count),
    onExcess: (how) => metrics.excess(how),
  })
  metrics.watchBacklog(() => ingest.backlog)
  ingest.start()
  try {
    await channel.start((topic, bytes) => ingest.accept(topic, bytes))
  } catch (error) {
    await ingest.stop()
    await pool?.stop()
    throw error
  }
  courier.start()
  challenges.start()
  attendance.attend({ isReceiving: () => channel.connected, isHeldBack: () => ingest.isHeldBack })
  return {
    // First nothing more comes in, then all that is here is decided; its answers still go out.
    async stop() {
      await channel.drain()
      await ingest.stop()
      await challenges.stop()
      await courier.stop()
      await pool?.stop()
    },
  }
}
