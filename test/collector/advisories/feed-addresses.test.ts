import { expect, test } from 'vitest'
import { assertPublicLiteral, isPublicAddress, publicLookup } from '../../../collector/advisories/feeds/addresses.ts'

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '224.0.0.1',
  '::1',
  '::',
  '[::1]',
  'fe80::1%eth0',
  'fd00::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '64:ff9b::a00:1',
  '0:0:0:0:0:ffff:7f00:1',
  '0064:ff9b:0:0:0:0:0a00:0001',
  '::10.0.0.1',
  '::808:808',
  '::ffff:0:10.0.0.1',
  '2002:a00:1::',
  '2002:c0a8:101::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:db8::1',
  '100::1',
  'localhost',
  '',
])('%s is no public address', (address) => expect(isPublicAddress(address)).toBe(false))

test.each([
  '93.184.216.34',
  '172.32.0.1',
  '2606:2800:220:1::1',
  '2001:4860:4860::8888',
  '::ffff:93.184.216.34',
  '64:ff9b::5db8:d822',
])('%s is a public address', (address) => expect(isPublicAddress(address)).toBe(true))

// As URL writes them: in all of these forms it is the same address.
test.each([
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'https://[::ffff:127.0.0.1]/',
  'https://10.0.0.1:8443/',
])('%s is refused where only public addresses are allowed', (url) => {
  expect(() => assertPublicLiteral(new URL(url))).toThrow(
    expect.objectContaining({ code: 'advisory.redirect-refused' }),
  )
})

test('a name that means this machine is refused when it is looked up', async () => {
  const error = await new Promise((resolve) => {
    publicLookup('localhost', { all: true }, (cause) => resolve(cause))
  })
  expect(error).toMatchObject({ code: 'advisory.redirect-refused' })
})
