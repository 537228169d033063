import { channelsOf } from '../notify/channels.ts'
import { Dispatcher } from '../notify/dispatcher.ts'
import type { Foundation } from './foundation.ts'
import type { RunningRole } from './role.ts'

/** Tells people what happened. Of several processes one does. */
export async function startNotify(foundation: Foundation): Promise<RunningRole> {
  const { config, store, clock, version, logger, leadership } = foundation
  const channels = await channelsOf(config, { clock, version })
  const isLeader = (): Promise<boolean> => leadership.isLeader('notifying')
  const dispatcher = new Dispatcher({ store, channels, clock, logger, isLeader })
  dispatcher.start()
  return { stop: () => dispatcher.stop() }
}
