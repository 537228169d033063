import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isLoopbackHost } from '../../shared/config/url-types.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { TlsIdentity } from '../state/identity.ts'

/** Where a broker listens. */
export interface BrokerAddress {
  readonly tls: boolean
  readonly host: string
  readonly port: number
}

/** Of `mqtts://host[:port]`, or `mqtt://` for a broker on this machine. Throws `config.invalid-value` otherwise. */
export function brokerAddress(url: string): BrokerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const tls = parsed?.protocol === 'mqtts:'
  const plain = parsed?.protocol === 'mqtt:' && isLoopbackHost(parsed.hostname)
  if (parsed === undefined || parsed.hostname === '' || !(tls || plain)) {
    throw new KeepsealError('config.invalid-value', 'the MQTT URL is not mqtts://HOST:PORT')
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  return { tls, host, port: parsed.port === '' ? (tls ? 8883 : 1883) : Number(parsed.port) }
}

/** Opens the connection. The broker is checked with the authority of the enrolment and nobody else's. */
export function openBrokerStream({ tls, host, port }: BrokerAddress, identity: TlsIdentity): Socket {
  if (!tls) return connectTcp({ host, port })
  return connectTls({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ca: identity.certificateAuthority,
    cert: identity.certificate,
    key: identity.privateKey,
    minVersion: 'TLSv1.2',
  })
}
