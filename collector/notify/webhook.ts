import { createHmac } from 'node:crypto'
import type { Severity } from '../../shared/codes/findings.ts'
import type { Channel, ChannelMessage } from './channel.ts'
import { toTime } from '../api/schemas.ts'

export interface WebhookOptions {
  readonly url: string
  /** What signs each request. */
  readonly secret: Uint8Array
  readonly minimumSeverity: Severity
  readonly groupMs: number
  /** ms since 1970. */
  readonly clock: () => number
}

const TIMEOUT_MS = 10_000

/**
 * An HTTPS POST of JSON, signed as the Standard Webhooks specification 1.0 says: `webhook-signature` is HMAC-SHA256 over
 * `{webhook-id}.{webhook-timestamp}.{body}`. Any answer but 2xx is a failure; redirects are not followed, as they
 * would carry the events to somebody whom nobody has chosen.
 */
export function webhookChannel({ url, secret, minimumSeverity, groupMs, clock }: WebhookOptions): Channel {
  return {
    name: 'webhook',
    minimumSeverity,
    groupMs,
    send: async (message) => {
      const body = JSON.stringify(webhookBody(message))
      const timestamp = Math.floor(clock() / 1000)
      const signature = createHmac('sha256', secret).update(`${message.id}.${timestamp}.${body}`).digest('base64')
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          'content-type': 'application/json',
          'user-agent': 'keepseal-collector',
          'webhook-id': message.id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': `v1,${signature}`,
        },
      })
      // Nobody reads what it says: a body without end must not stay open.
      await response.body?.cancel()
      if (!response.ok) throw new Error(`it answered ${response.status}`)
    },
  }
}

/** What a receiver gets. Documented in docs/notifications.md. */
export const webhookBody = ({ events }: ChannelMessage) => ({
  version: 1,
  events: events.map(({ id, at, ...event }) => ({ number: id, at: toTime(at), ...event })),
})
