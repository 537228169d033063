import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import { isLoopbackHost } from '../../shared/config/url-types.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { TlsIdentity } from '../state/identity.ts'
import { objectionAtFloor } from './floor.ts'

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

/**
 * Opens the connection. The broker is checked with the authority of the enrolment and nobody else's. `floorMs`: the time
 * that it is at least; a clock behind it is wrong, and the broker's certificate is then looked at by what is known.
 */
export function openBrokerStream({ tls, host, port }: BrokerAddress, identity: TlsIdentity, floorMs = 0): Socket {
  if (!tls) return connectTcp({ host, port })
  const clockIsWrong = Date.now() < floorMs
  const socket = connectTls({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ca: identity.certificateAuthority,
    cert: identity.certificate,
    key: identity.privateKey,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: !clockIsWrong,
  })
  if (clockIsWrong) socket.once('secureConnect', () => checkAtFloor(socket, host, identity, floorMs))
  return socket
}

function checkAtFloor(socket: TLSSocket, host: string, identity: TlsIdentity, floorMs: number): void {
  const leaf = socket.getPeerX509Certificate()
  const authority = new X509Certificate(identity.certificateAuthority)
  const objection = leaf === undefined ? 'there is none' : objectionAtFloor(leaf, authority, host, floorMs)
  if (objection !== undefined) socket.destroy(new Error(`the certificate of the broker: ${objection}`))
}
