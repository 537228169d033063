import { expect, test } from 'vitest'
import { brokerAddress } from '../../../agent/transport/broker-stream.ts'
import { errorCodeOf } from '../../support/failure.ts'

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
