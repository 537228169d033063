import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Socket } from 'node:net'
import type { Severity } from '../../shared/codes/findings.ts'
import { printable } from '../../shared/text/printable.ts'
import type { StoredEvent } from '../model/notification.ts'
import type { Channel } from './channel.ts'

export interface SyslogOptions {
  /** `tls://host:6514`, or `tcp://host:601` on this machine. */
  readonly url: string
  readonly format: 'cef' | 'plain'
  readonly hostname: string
  readonly version: string
  readonly minimumSeverity: Severity
}

const TIMEOUT_MS = 10_000
/** RFC 5424 section 6.2.1: facility 13 is "log audit"; severities critical, error, warning, notice. */
const FACILITY = 13
const SYSLOG_SEVERITY: Readonly<Record<Severity, number>> = { critical: 2, high: 3, medium: 4, low: 5 }
/** ArcSight Common Event Format, revision 25: 0 to 10. */
const CEF_SEVERITY: Readonly<Record<Severity, number>> = { critical: 10, high: 8, medium: 5, low: 3 }

/**
 * RFC 5424 messages, each counted by its bytes (RFC 6587 section 3.4.1), over TLS or TCP. Syslog has no
 * acknowledgement: sent means that the connection was closed in order after all bytes were taken.
 */
export function syslogChannel(options: SyslogOptions): Channel {
  const { url, minimumSeverity } = options
  return {
    name: 'syslog',
    minimumSeverity,
    groupMs: 0,
    send: ({ events }) => {
      const frames = events.map((event) => {
        const message = Buffer.from(syslogMessage(event, options), 'utf8')
        return Buffer.concat([Buffer.from(`${message.length} `), message])
      })
      return deliver(new URL(url), Buffer.concat(frames))
    },
  }
}

/** One message of RFC 5424. Nothing of the event can end it or begin another. */
export function syslogMessage(event: StoredEvent, { hostname, format, version }: Omit<SyslogOptions, 'url'>): string {
  const priority = FACILITY * 8 + SYSLOG_SEVERITY[event.severity]
  const time = new Date(event.at).toISOString()
  const body = format === 'cef' ? cef(event, version) : printable(event.text)
  return `<${priority}>1 ${time} ${hostname} keepseal - ${event.kind} - ${body}`
}

const headerField = (text: string): string => printable(text).replaceAll('\\', '\\\\').replaceAll('|', '\\|')
const extensionValue = (text: string): string => printable(text).replaceAll('\\', '\\\\').replaceAll('=', '\\=')

function cef(event: StoredEvent, version: string): string {
  const { kind, code, text, severity, ueid, productId, subject, id, at } = event
  const header = ['CEF:0', 'Keepseal', 'Keepseal', version, code ?? kind, text].map(headerField)
  const extension = {
    rt: String(at),
    externalId: String(id),
    cat: kind,
    ...(ueid === null ? {} : { deviceExternalId: ueid }),
    ...(productId === null ? {} : { cs1Label: 'product', cs1: productId }),
    msg: subject,
  }
  const pairs = Object.entries(extension).map(([key, value]) => `${key}=${extensionValue(value)}`)
  return `${header.join('|')}|${CEF_SEVERITY[severity]}|${pairs.join(' ')}`
}

function deliver({ protocol, hostname, port }: URL, bytes: Buffer): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const secure = protocol === 'tls:'
    const socket: Socket = secure
      ? connectTls({ host, port: Number(port || 6514), servername: host })
      : connectTcp({ host, port: Number(port || 601) })
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('it does not answer')))
    socket.once('error', reject)
    socket.once(secure ? 'secureConnect' : 'connect', () => socket.end(bytes))
    socket.resume()
    socket.once('close', (failed) => (failed ? undefined : resolve()))
  })
}
