import { random as randomBytes } from '../shared/crypto/node.ts'
import type { AgentConfig } from './config/options.ts'
import type { Log } from './log.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import { openAgent } from './open-agent.ts'
import { renewerOf } from './renew/from-config.ts'
import type { Heartbeat } from '../shared/service/heartbeat.ts'
import { writeStatus } from './state/status-file.ts'
import type { Identity } from './state/identity.ts'
import { successionKeeperOf } from './succession/from-config.ts'
import { timeFloor } from './transport/floor.ts'
import { keepaliveFor } from './transport/keepalive.ts'
import { MqttChannel } from './transport/mqtt-channel.ts'
import { Visits } from './transport/visits.ts'

/** From 0 to below 1. Spreads a fleet; nothing secret hangs on it. */
function fraction(): number {
  const [a = 0, b = 0, c = 0] = randomBytes(3)
  return (a * 65_536 + b * 256 + c) / 16_777_216
}

/** A broker forgets a device that comes and goes when it has not come for so many intervals. */
const SESSION_INTERVALS = 24

/** A request of the collector is answered at once, but a broker cannot make the TPM work without pause. */
const REQUEST_PAUSE_MS = 5_000

/** To another broker or authority: within this time. */
const MOVE_MS = 600_000

/** To the new way, where the former one had to do. */
const TRY_AGAIN_MS = 3_600_000

/** Attempts to connect that failed one after the other, until the collector is asked whether it has moved. */
const DOUBTFUL_FAILURES = 3

interface Surroundings extends Pick<Heartbeat, 'during'> {
  /** From 0 to below 1: how much of each back-off is waited. */
  readonly random: () => number
}

export interface RunningAgent {
  /** Takes leave of the broker. What was measured is in the outbox. */
  stop(): Promise<void>
  /** What the collector said to the first report of this run. */
  readonly firstReport: Promise<'receipted' | 'refused'>
  /** Rejects when the agent cannot go on. */
  readonly failed: Promise<never>
}

/** Runs until it is stopped: measures when an epoch arrives, then at each interval. */
export async function startAgent(
  config: AgentConfig,
  log: Log,
  { during = (work) => work, random = fraction }: Partial<Surroundings> = {},
): Promise<RunningAgent> {
  const { agent, identity, lock, unsent, sampler, quote, transport } = await openAgent(config, log)
  const isKept = config.mqtt.connection === 'kept'
  const startedAt = Math.floor(Date.now() / 1000)
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let measuredThisRun = false
  let first: OutboxEntry | undefined
  let visits: Visits | undefined
  const refusedBefore = unsent.outbox.refusedCount
  let answer: (word: 'receipted' | 'refused') => void = () => undefined
  const firstReport = new Promise<'receipted' | 'refused'>((resolve) => {
    answer = resolve
  })
  let lastRequestAt = Number.NEGATIVE_INFINITY
  let fail: (error: unknown) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)

  /** Why there is no connection to the broker; null where there is one. */
  let unreachable: string | null = null
  const noConnection = (): string | null => (unreachable === null ? null : `not connected: ${unreachable}`)
  let writing: Promise<void> = Promise.resolve()
  const status = (): Promise<void> => {
    writing = writing.then(writeNow)
    return writing
  }
  const writeNow = async (): Promise<void> => {
    const { entries, droppedCount, refusedCount } = unsent.outbox
    await writeStatus(config.state.directory, {
      pid: process.pid,
      startedAt,
      writtenAt: Math.floor(Date.now() / 1000),
      ...agent.status,
      transport: transport(),
      problem: agent.status.problem ?? noConnection() ?? renewer.problem ?? succession.problem ?? null,
      resting: visits?.isResting ?? false,
      waiting: entries.length,
      dropped: droppedCount,
      refused: refusedCount,
    }).catch((error: unknown) => log.warn(error instanceof Error ? error.message : String(error)))
  }
  const schedule = (): void => {
    clearTimeout(timer)
    if (stopped) return
    const { intervalSeconds, jitterSeconds } = config.report
    timer = setTimeout(
      () => (visits === undefined ? void measure() : visit()),
      (intervalSeconds + fraction() * jitterSeconds) * 1000,
    )
  }
  let answering: NodeJS.Timeout | undefined
  /** What the collector asks for at once is measured at once, or when it may ask again. */
  const answerWhenDue = (): void => {
    const due = agent.challengeDueMs
    clearTimeout(answering)
    if (!stopped && due !== null) answering = setTimeout(() => void measure(), due)
  }
  const measure = async (): Promise<void> => {
    schedule()
    const entry = await during(agent.measure())
    if (entry !== undefined) {
      first ??= entry
      if (!measuredThisRun) log.info(`first measurement of this run: ${entry.size} bytes, number ${entry.sequence}`)
      measuredThisRun = true
      // A challenge that came while this was measured is not in it. Without evidence the next interval tries.
      answerWhenDue()
    }
    await status()
  }
  const visit = (): void => {
    schedule()
    visits?.begin()
  }
  /** Messages of the broker are taken one after the other: two of them must not write the same file at once. */
  let inbound: Promise<void> = Promise.resolve()
  const take = (action: () => Promise<void>): void => {
    inbound = inbound.then(action).catch((error: unknown) => fail(error))
  }
  const { certificate } = identity.tls
  const floor = (): number => timeFloor({ certificate, newestEpochMs: agent.newestEpochMs })
  const brokerOf = ({ collector }: Identity): string => (config.mqtt.url === '' ? collector.mqttUrl : config.mqtt.url)
  let moving: { readonly timer: NodeJS.Timeout; readonly at: number } | undefined
  /** A fleet does not come to another broker in one moment. What was to happen sooner happens sooner. */
  const moveWithin = (ms: number): void => {
    const at = performance.now() + fraction() * ms
    if (stopped || (moving !== undefined && moving.at <= at)) return
    clearTimeout(moving?.timer)
    const move = (): void => {
      moving = undefined
      channel.reconnect()
    }
    moving = { timer: setTimeout(move, at - performance.now()), at }
  }
  const succession = successionKeeperOf({
    config,
    identity,
    log,
    timeFloor: () => floor(),
    followed: (next, moved) => {
      renewer.use(next)
      channel.use(next.tls, brokerOf(next))
      if (moved) moveWithin(Math.min(MOVE_MS, config.report.intervalSeconds * 1000))
      take(async () => {
        if ((await agent.follow(next)) && !measuredThisRun) await measure()
      })
    },
  })
  const channel = new MqttChannel({
    url: brokerOf(identity),
    timeFloor: floor,
    ueid: identity.ueid,
    tls: identity.tls,
    former: () => {
      const { fallback, identity: current } = succession
      if (fallback === null) return null
      const { mqttUrl, certificateAuthority } = fallback
      const url = config.mqtt.url === '' ? mqttUrl : config.mqtt.url
      return { url, tls: { ...current.tls, certificateAuthority } }
    },
    protocol: config.mqtt.protocol,
    random,
    keepaliveSeconds: keepaliveFor(config.report),
    restsForSeconds: isKept ? undefined : SESSION_INTERVALS * config.report.intervalSeconds,
    events: {
      onConnected: ({ version, resumed, isInForce }) => {
        unreachable = null
        const tell = isKept || !measuredThisRun ? log.info : log.debug
        const how = `${isInForce ? '' : ' in the former way'}, MQTT ${version}${resumed ? ', TLS session resumed' : ''}`
        tell(`connected to the broker${how}`)
        agent.connected(channel)
        visits?.connected()
        if (isInForce) void succession.reached()
        else moveWithin(TRY_AGAIN_MS)
      },
      onDisconnected: (reason, retryMs, failures) => {
        agent.disconnected()
        visits?.disconnected()
        const told = `not connected: ${reason}; next attempt in ${Math.round(retryMs / 1000)} s`
        // Each reason once: the network may be away for a week.
        if (unreachable === reason) log.debug(told)
        else log.warn(told)
        unreachable = reason
        if (failures >= DOUBTFUL_FAILURES) void succession.doubt()
        void status()
      },
      onSuccession: (bytes) => void succession.offer(bytes),
      onEpoch: (bytes) =>
        take(async () => {
          await agent.epochArrived(bytes)
          // The first epoch of a run, or of a visit, is waited for: evidence under an old one would only arrive late.
          if (visits !== undefined) await visits.epochArrived()
          else if (!measuredThisRun) await measure()
          if (agent.doubtsItsKey) void succession.doubt()
        }),
      onRestorePoint: (bytes) =>
        take(async () => {
          if (await agent.restorePointArrived(bytes)) log.warn('the collector was restored from a backup')
        }),
      onDown: (bytes) =>
        take(async () => {
          const now = performance.now()
          const kind = await agent.downArrived(bytes, now - lastRequestAt >= REQUEST_PAUSE_MS)
          if (kind === 'request') lastRequestAt = now
          if (kind === 'challenge') answerWhenDue()
          if (first !== undefined && !unsent.outbox.entries.includes(first)) {
            answer(unsent.outbox.refusedCount > refusedBefore ? 'refused' : 'receipted')
          }
          visits?.progressed()
          if (kind !== 'ignored') await status()
        }),
    },
  })
  log.info(`device ${identity.ueid} reports every ${config.report.intervalSeconds} s`)
  visits = isKept
    ? undefined
    : new Visits({
        connect: () => channel.start(),
        leave: () => {
          agent.disconnected()
          return channel.rest()
        },
        report: measure,
        newestEpoch: () => agent.newestEpochMs,
        isDone: () => unsent.outbox.entries.length === 0 && agent.challengeDueMs === null,
        left: () => void status(),
      })
  if (visits === undefined) channel.start()
  else visits.begin()
  const renewer = renewerOf({
    config,
    identity,
    quote,
    log,
    timeFloor: floor,
    random,
    renewed: (next) => {
      succession.use(next)
      channel.use(next.tls, brokerOf(next))
    },
    upToDate: async () => {
      await succession.ask()
      return succession.identity
    },
  })
  renewer.start()
  const stopSampling = sampler.start()
  schedule()
  await status()
  return {
    failed,
    firstReport,
    async stop() {
      stopped = true
      clearTimeout(timer)
      clearTimeout(answering)
      visits?.stop()
      clearTimeout(moving?.timer)
      stopSampling()
      renewer.stop()
      await channel.close()
      await inbound
      await status()
      await lock.release()
    },
  }
}
