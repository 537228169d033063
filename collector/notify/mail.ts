import { createTransport } from 'nodemailer'
import type { Severity } from '../../shared/codes/findings.ts'
import { isLoopbackHost } from '../../shared/config/url-types.ts'
import { printable } from '../../shared/text/printable.ts'
import { toTime } from '../api/schemas.ts'
import type { StoredEvent } from '../model/notification.ts'
import type { Channel } from './channel.ts'

export interface MailOptions {
  /** `smtps://` for TLS from the start, `smtp://` for STARTTLS, which is then required, but on this machine. */
  readonly url: string
  readonly user: string
  readonly password: string
  readonly from: string
  readonly to: string
  readonly minimumSeverity: Severity
  readonly groupMs: number
}

const TIMEOUT_MS = 20_000

export function mailChannel({ url, user, password, from, to, minimumSeverity, groupMs }: MailOptions): Channel {
  const { protocol, hostname, port } = new URL(url)
  const secure = protocol === 'smtps:'
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && !isLoopbackHost(hostname),
    ignoreTLS: !secure && isLoopbackHost(hostname),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === '' ? {} : { auth: { user, pass: password } }),
  })
  return {
    name: 'mail',
    minimumSeverity,
    groupMs,
    send: async ({ id, events }) => {
      await transport.sendMail({
        from,
        to,
        subject: subjectOf(events),
        text: textOf(events),
        messageId: `<${id}@keepseal>`,
      })
    },
  }
}

/** Text from devices stands in it: nothing of it may begin a line of its own. */
function subjectOf(events: readonly StoredEvent[]): string {
  const [first] = events
  if (first === undefined) return 'Keepseal'
  const more = events.length === 1 ? '' : ` and ${events.length - 1} more`
  return printable(`Keepseal: ${first.severity} ${first.text}${more}`).slice(0, 200)
}

const textOf = (events: readonly StoredEvent[]): string =>
  events
    .map(({ at, severity, text, ueid, code }) => {
      const where = ueid === null ? '' : `\n    keepseal device show ${ueid}`
      return `${toTime(at)}  ${severity}  ${printable(text)}${code === null ? '' : ` (${code})`}${where}`
    })
    .join('\n')
