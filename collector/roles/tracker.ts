import { join } from 'node:path'
import { advisoryFigures, keptFor } from '../advisories/figures.ts'
import { AdvisoryClerk } from '../advisories/clerk.ts'
import { FeedClerk } from '../advisories/feeds/clerk.ts'
import { feedOf } from '../advisories/feeds/feed.ts'
import { EpochPublisher } from '../ingest/epoch-publisher.ts'
import { RestorePointPublisher } from '../ingest/restore-point-publisher.ts'
import { SuccessionPublisher } from '../ingest/succession-publisher.ts'
import { ReleaseClock } from '../ingest/judge-again.ts'
import type { Downtime } from '../liveness/downtime.ts'
import { LivenessWatch } from '../liveness/watch.ts'
import { DecisionBook } from '../decisions/decision-book.ts'
import { deadlinesAt } from '../tracking/liveness.ts'
import { PracticeEvaluator } from '../tracking/practices/evaluator.ts'
import { ReminderClerk } from '../tracking/reminders/clerk.ts'
import { Sweeper } from '../sweeper.ts'
import { livenessPolicyOf } from './liveness-policy.ts'
import { tellResult } from '../ingest/tell-result.ts'
import { ResultRenewal } from '../tracking/result-renewal.ts'
import { ResultSigner } from '../tracking/result-signer.ts'
import { ExceptionClock } from '../tracking/exceptions.ts'
import { CaseWatch } from '../tracking/cases/watch.ts'
import type { ConnectedFoundation } from './foundation.ts'
import type { RunningRole } from './role.ts'

/** A tracker that judges devices again at once when it is told that something was decided about them. */
export interface RunningTracker extends RunningRole {
  judgeAgain(): void
}

/** What goes by time alone: epochs, closing dates of releases, removing what is old. Of several one leads. */
export async function startTracker(foundation: ConnectedFoundation): Promise<RunningTracker> {
  const { config, catalogue, store, deps, keys, clock, random, logger, channel, leadership } = foundation
  const { metrics, onHandled, attendance, livenessTime, version } = foundation
  const isLeader = (): Promise<boolean> => leadership.isLeader('tracking')
  const releaseClock = new ReleaseClock({ store, deps, clock, logger, onHandled })
  const epochs = new EpochPublisher({
    store,
    keys,
    clock,
    random,
    logger,
    periodSeconds: config.freshness.epochPeriodSeconds,
    isLeader,
    publish: (topic, bytes, retain) => channel.publish(topic, bytes, retain),
  })
  // Before the epochs: they are signed by the key that it leads to.
  const succession = new SuccessionPublisher({ keys, channel, logger })
  await succession.start()
  const restorePoint = new RestorePointPublisher({ store, keys, channel, clock, logger })
  await restorePoint.start()
  await epochs.start()
  releaseClock.start()
  const sweeper = new Sweeper({ store, retention: config.retention, clock, logger, isLeader })
  sweeper.start()
  metrics.watchQuarantine(() => store.quarantine.count())
  metrics.watchAdvisories(keptFor((now) => advisoryFigures(store, now), clock))
  const policy = livenessPolicyOf(config)
  const downtime = (): Downtime => attendance.downtime
  const watch = new LivenessWatch({ store, policy, clock, deps, logger, downtime, isLeader })
  watch.start()
  const decisions = new DecisionBook(store, catalogue)
  const clerk = new ReminderClerk({ store, decisions, clock, logger, isLeader })
  clerk.start()
  const evaluator = new PracticeEvaluator({
    store,
    decisions,
    catalogue,
    deadlines: (now) => deadlinesAt({ policy, now, downtime: downtime() }),
    everyMs: config.practices.evaluationSeconds * 1000,
    clock,
    random,
    logger,
    isLeader,
  })
  evaluator.start()
  const exceptionClock = new ExceptionClock({ store, clock, deps, logger, isLeader })
  exceptionClock.start()
  const advisoryClerk = new AdvisoryClerk({ store, clock, logger, isLeader })
  advisoryClerk.start()
  const { feeds, fetchSeconds, idleSeconds, proxy } = config.advisories
  const feedClerk = new FeedClerk({
    store,
    clock,
    logger,
    isLeader,
    feeds: feeds.map(feedOf),
    directory: join(config.data.directory, 'feeds'),
    wholeMs: fetchSeconds * 1000,
    idleMs: idleSeconds * 1000,
    proxy,
    chance: () => (random(1)[0] ?? 0) / 255,
  })
  feedClerk.start()
  const silentAfterMs = config.liveness.silentAfterSeconds * 1000
  const watching = { store, clock, random, logger, isLeader, silentAfterMs, catalogue }
  const caseWatch = new CaseWatch({ ...watching, decisions: deps.decisions })
  caseWatch.start()
  const signing = { store, decisions: deps.decisions, signer: keys.signer, version, livenessTime, logger, isLeader }
  const resultSigner = new ResultSigner({ ...signing, tell: tellResult(channel, keys) })
  resultSigner.start()
  const { refreshSeconds } = config.results
  const renewal = refreshSeconds === 0 ? undefined : new ResultRenewal({ ...signing, maxAgeMs: refreshSeconds * 1000 })
  renewal?.start()
  return {
    judgeAgain: () => releaseClock.look(true),
    async stop() {
      await renewal?.stop()
      await resultSigner.stop()
      await caseWatch.stop()
      await feedClerk.stop()
      await advisoryClerk.stop()
      await exceptionClock.stop()
      await watch.stop()
      await evaluator.stop()
      await clerk.stop()
      await sweeper.stop()
      epochs.stop()
      restorePoint.stop()
      succession.stop()
      await releaseClock.stop()
    },
  }
}
