import type { Severity } from '../../shared/codes/findings.ts'
import type { StoredEvent } from '../model/notification.ts'

/** A way to people or to their programs. */
export interface Channel {
  /** `webhook`, `mail`, `syslog`: what a delivery is stored under. */
  readonly name: string
  readonly minimumSeverity: Severity
  /** How long events are gathered into one message; 0: each is sent at once, alone. */
  readonly groupMs: number
  /**
   * Sends events as one message. `id` stays the same over all attempts, so that a receiver can tell a repetition.
   * Rejects where it was not taken: it will be tried again, later and later.
   */
  send(message: ChannelMessage): Promise<void>
}

export interface ChannelMessage {
  readonly id: string
  readonly events: readonly StoredEvent[]
}

const ORDER: readonly Severity[] = ['low', 'medium', 'high', 'critical']

/** Whether a channel wants to hear of it. A test is for the channel that it names alone. */
export function isWanted(channel: Channel, event: StoredEvent): boolean {
  if (event.kind === 'test') return event.subject === channel.name
  return ORDER.indexOf(event.severity) >= ORDER.indexOf(channel.minimumSeverity)
}
