import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { brokerAddress, openBrokerStream, TlsResumption } from '../../../agent/transport/broker-stream.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { createPki } from '../../support/pki.ts'

test.each([
  ['mqtts://broker.example', { tls: true, host: 'broker.example', port: 8883 }],
  ['mqtts://broker.example:443', { tls: true, host: 'broker.example', port: 443 }],
  ['mqtts://[::1]:8883', { tls: true, host: '::1', port: 8883 }],
  ['mqtt://localhost', { tls: false, host: 'localhost', port: 1883 }],
])('%s is read', (url, address) => {
  expect(brokerAddress(url)).toEqual(address)
})

test.each(['', 'broker.example', 'wss://broker.example', 'https://broker.example', 'mqtts://'])(
  'the URL "%s" is refused',
  async (url) => {
    expect(await errorCodeOf(() => brokerAddress(url))).toBe('config.invalid-value')
  },
)

test('a broker elsewhere is not spoken to without TLS', async () => {
  expect(await errorCodeOf(() => brokerAddress('mqtt://broker.example'))).toBe('config.invalid-value')
})

/** A session that is resumed is not looked at again by TLS: neither the name nor the time. */
test('a session with a broker that is objected to is not kept', async () => {
  const pki = createPki()
  const { key, cert } = pki.device('device')
  // On an address that is not in its certificate.
  const host = '127.0.0.2'
  const broker = createServer({ ...pki.server(), ca: pki.authority, requestCert: true }, (socket) => {
    socket.on('error', () => undefined)
  })
  onTestFinished(() => void broker.close())
  await new Promise<void>((resolve) => broker.listen(0, host, resolve))
  const { port } = broker.address() as AddressInfo
  const identity = { privateKey: key, certificate: cert, certificateAuthority: pki.authority }
  const resumption = new TlsResumption()
  const failureOf = (floorMs: number): Promise<string | undefined> =>
    new Promise((resolve) => {
      let reason: string | undefined
      const stream = openBrokerStream({ tls: true, host, port }, identity, { floorMs, resumption })
      // Long after whoever looks at the certificate has done so.
      stream.once('secureConnect', () => setTimeout(() => stream.destroy(), 100))
      stream.once('error', (error) => (reason = error.message))
      stream.once('close', () => resolve(reason))
    })
  expect(await failureOf(Date.now() + 60_000)).toMatch(/127\.0\.0\.2/)
  expect(resumption.options.session).toBeUndefined()
  expect(await failureOf(0)).toMatch(/127\.0\.0\.2/)
})
