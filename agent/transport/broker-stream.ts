import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { constants, X509Certificate } from 'node:crypto'
import { isLoopbackHost } from '../../shared/config/url-types.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { certificatesIn } from '../../shared/text/pem.ts'
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

/** Keeps a TLS session in memory from one connection to the next, which then takes a fifth of the bytes. */
export class TlsResumption {
  #session: Buffer | undefined

  get options(): ConnectionOptions {
    return {
      ...(this.#session === undefined ? {} : { session: this.#session }),
      // A ticket of TLS 1.3 holds this device's certificate, and goes both ways with each connection. The sessions of
      // TLS 1.2 can stay with the broker, which tells them by 32 bytes (RFC 5246 section 7.4.1.2).
      maxVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_TICKET,
      ciphers: FEW_CIPHERS,
      ecdhCurve: 'X25519:P-256',
      sigalgs: FEW_SIGNATURES,
    }
  }

  watch(socket: TLSSocket): void {
    let isSecure = false
    socket.once('secureConnect', () => (isSecure = true))
    socket.on('session', (session) => (this.#session = session))
    // What a broker does not like is not offered again.
    socket.once('close', () => {
      if (!isSecure) this.forget()
    })
  }

  forget(): void {
    this.#session = undefined
  }

  /** Neither a session that came on this connection, nor one that still comes. */
  reject(socket: TLSSocket): void {
    socket.removeAllListeners('session')
    this.forget()
  }
}

/** RFC 9325 section 4.2: forward secrecy and authenticated encryption. A record of the first ones is 8 bytes shorter. */
const FEW_CIPHERS = ['CHACHA20-POLY1305', 'AES128-GCM-SHA256', 'AES256-GCM-SHA384']
  .flatMap((cipher) => [`ECDHE-ECDSA-${cipher}`, `ECDHE-RSA-${cipher}`])
  .join(':')
const FEW_SIGNATURES = 'ecdsa_secp256r1_sha256:ed25519:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha256:rsa_pkcs1_sha256'

/**
 * Opens the connection. The broker is checked with the authority of the enrolment and nobody else's. `floorMs`: the time
 * that it is at least; a clock behind it is wrong, and the broker's certificate is then looked at by what is known.
 */
export function openBrokerStream(
  { tls, host, port }: BrokerAddress,
  identity: TlsIdentity,
  { floorMs = 0, resumption }: { readonly floorMs?: number; readonly resumption?: TlsResumption | undefined } = {},
): Socket {
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
    ...resumption?.options,
    rejectUnauthorized: !clockIsWrong,
  })
  resumption?.watch(socket)
  if (clockIsWrong) {
    socket.once('secureConnect', () => {
      const objection = objectionTo(socket, host, identity, floorMs)
      if (objection === undefined) return
      // Nobody looks at the certificate of a session that is resumed, also when the clock is right again.
      resumption?.reject(socket)
      socket.destroy(new Error(`the certificate of the broker: ${objection}`))
    })
  }
  return socket
}

function objectionTo(socket: TLSSocket, host: string, identity: TlsIdentity, floorMs: number): string | undefined {
  const leaf = socket.getPeerX509Certificate()
  const authorities = certificatesIn(identity.certificateAuthority).map((pem) => new X509Certificate(pem))
  return leaf === undefined ? 'there is none' : objectionAtFloor(leaf, authorities, host, floorMs)
}
