import * as fc from 'fast-check'
import { isIPv6 } from 'node:net'
import { expect, test } from 'vitest'
import { parseAddress } from '../../../../agent/sensors/sockets/address.ts'

test.each([
  ['00000000', 'any', '0.0.0.0'],
  ['0100007F', 'loopback', '127.0.0.1'],
  ['3500007F', 'loopback', '127.0.0.53'],
  ['0A01A8C0', 'address', '192.168.1.10'],
  ['FB0000E0', 'multicast', '224.0.0.251'],
  ['0101FEA9', 'link', '169.254.1.1'],
  ['FFFFFFFF', 'address', '255.255.255.255'],
  ['00000000000000000000000000000000', 'any', '::'],
  ['00000000000000000000000001000000', 'loopback', '::1'],
  ['000080FE00000000FF005450A1B2C3FE', 'link', 'fe80::5054:ff:fec3:b2a1'],
  ['B80D0120000000000000000001000000', 'address', '2001:db8::1'],
  ['000002FF000000000000000001000000', 'multicast', 'ff02::1'],
  ['0000000000000000FFFF00000100007F', 'loopback', '::ffff:127.0.0.1'],
  ['0000000000000000FFFF000000000000', 'any', '::ffff:0.0.0.0'],
  ['0000000000000000FFFF00000A01A8C0', 'address', '::ffff:192.168.1.10'],
  ['00000000000000000000000002000000', 'address', '::2'],
])('%s is %s, %s', (hex, scope, text) => {
  expect(parseAddress(hex, 'LE')).toEqual({ family: hex.length === 8 ? 'ipv4' : 'ipv6', scope, text })
})

test('a big-endian kernel prints the words the other way round', () => {
  expect(parseAddress('7F000001', 'BE')).toMatchObject({ scope: 'loopback', text: '127.0.0.1' })
  expect(parseAddress('20010DB8000000000000000000000001', 'BE')).toMatchObject({ text: '2001:db8::1' })
})

test.each(['', '0100007', '0100007G', '0100007f', '0'.repeat(31)])('%j is no address', (hex) => {
  expect(parseAddress(hex, 'LE')).toBeUndefined()
})

test('IPv6 text is what the URL standard writes for the same address', () => {
  // Few different bytes, so that runs of zeros of every place and length come up.
  const byte = fc.constantFrom(0, 0, 0, 1, 0xab)
  fc.assert(
    fc.property(fc.array(byte, { minLength: 16, maxLength: 16 }), (bytes) => {
      const text = parseAddress(Buffer.from(bytes).toString('hex').toUpperCase(), 'BE')?.text ?? ''
      expect(isIPv6(text)).toBe(true)
      expect(new URL(`http://[${text}]`).hostname).toBe(`[${text}]`)
    }),
    { numRuns: 500 },
  )
})
