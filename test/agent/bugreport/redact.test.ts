import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Redactor } from '../../../agent/bugreport/redact.ts'

const redactor = () =>
  new Redactor([
    ['serial', 'SN-4711'],
    ['hostname', 'plant7-gw-SN-4711'],
    ['vendor', ''],
  ])
const redact = (text: string): string => redactor().text(text)

describe('what is taken out of a report', () => {
  it.each([
    ['a token', 'kse_abcDEF-123_x', '<token-1>'],
    ['a key in PEM', 'a\n-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\nb', 'a\n<pem-1>\nb'],
    ['a key that was cut off', '-----BEGIN EC PRIVATE KEY-----\nMII', '<pem-1>'],
    ['a UEID', 'device 01000102030405060708090a0b0c0d0e0f:', 'device <identifier-1>:'],
    ['the host of a URL', 'mqtts://broker.example:8883', 'mqtts://<host-1>:8883'],
    ['an address', 'connect 192.168.7.12 and fe80::1 failed', 'connect <address-1> and <address-2> failed'],
    ['a MAC address', 'eth0 02:00:5e:10:00:01', 'eth0 <mac-1>'],
    ['the serial number', 'unit SN-4711', 'unit <serial-1>'],
    ['the host name, whole', 'on plant7-gw-SN-4711', 'on <hostname-1>'],
  ])('is %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  it.each([
    '127.0.0.1:8883',
    'https://localhost:8443',
    '::1',
    'at 12:30:05',
    'version 1.2.3',
    'sha256',
    '',
    '/dev/tpmrm0',
  ])('is not %j, which is anybody’s', (text) => {
    expect(redact(text)).toBe(text)
  })

  it('gets one name each, so that equal things are seen to be equal', () => {
    const one = redactor()
    expect([one.text('10.0.0.1 10.0.0.2'), one.text('10.0.0.2')]).toEqual(['<address-1> <address-2>', '<address-2>'])
    expect(one.counts).toEqual({ address: 2 })
  })

  it('is taken out wherever it stands', () => {
    const nested = redactor().value({ a: ['kse_x', { 'SN-4711': 1 }], b: null, c: 3, d: true })
    expect(nested).toEqual({ a: ['<token-1>', { '<serial-1>': 1 }], b: null, c: 3, d: true })
  })

  it('never leaves a token or a serial number, whatever is around it', () => {
    const secret = constantFrom('kse_AbCdEfGh123456', 'SN-4711')
    assert(
      property(string(), secret, string(), (before, value, after) => {
        const result = redact(`${before} ${value} ${after}`)
        expect(result.includes(value)).toBe(false)
      }),
    )
  })
})
