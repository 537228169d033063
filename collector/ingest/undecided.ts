import { KeepsealError } from '../../shared/errors.ts'
import { parseUpstreamTopic } from '../../shared/evidence/topics.ts'
import type { SetAside } from '../model/quarantine.ts'
import type { Store } from '../store/index.ts'
import { messagesQuarantined } from '../tracking/events.ts'
import type { ReceivedMessage } from './evidence-handler.ts'

/** A message that was taken in and not decided yet, with what came of the tries so far. */
export interface Undecided {
  readonly message: ReceivedMessage
  readonly tries: number
  /** Of these, how often others could be stored at the same time. */
  readonly alone: number
  /** What the last try ended with. */
  readonly error?: unknown
}

export const begun = (message: ReceivedMessage): Undecided => ({ message, tries: 0, alone: 0 })

export const failedOnce = (undecided: Undecided, error: unknown): Undecided => ({
  ...undecided,
  tries: undecided.tries + 1,
  error,
})

export const failedAlone = (undecided: Undecided): Undecided => ({ ...undecided, alone: undecided.alone + 1 })

/** A database that is away is waited for, however long. What is none of its errors does not mend itself by waiting. */
const TRIES = 3

export const isHopeless = ({ tries, error }: Undecided): boolean => tries >= TRIES && !isOfDatabase(error)

/** Where others can be stored: a database that came back in between is no fault of the message. */
export const isAtFault = ({ alone, error }: Undecided): boolean => !isOfDatabase(error) || alone >= TRIES

const isOfDatabase = (error: unknown): boolean => error instanceof KeepsealError && error.code.startsWith('state.')

function reasonOf(error: unknown): { readonly reason: string; readonly detail: string } {
  if (!(error instanceof Error)) return { reason: 'unknown', detail: '' }
  const detail = error.message.split('\n', 1)[0] ?? ''
  return { reason: error instanceof KeepsealError ? error.code : error.name, detail }
}

/**
 * Puts messages into quarantine and tells people, all of it or nothing. They have no receipt, so that their devices send
 * them again. Gives how many were not there before.
 */
export async function setAside(store: Store, undecided: readonly Undecided[], now: number): Promise<number> {
  const messages = undecided.map(({ message: { topic, bytes, receivedAt }, tries, error }): SetAside => ({
    topic,
    bytes,
    receivedAt,
    tries,
    ...reasonOf(error),
  }))
  const [first] = messages
  if (first === undefined) return 0
  return store.transaction(async (transaction) => {
    const added = await transaction.quarantine.add(messages, now)
    const ueid = parseUpstreamTopic(first.topic)?.ueid ?? null
    if (added > 0) await transaction.notifications.add(messagesQuarantined(added, { ...first, ueid }, now))
    return added
  })
}
