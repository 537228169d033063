import { expect, test } from 'vitest'
import { redactUri, transportOf } from '../../../../agent/sensors/apt/uri.ts'

test.each([
  ['https://deb.example.org/debian', 'https://deb.example.org/debian'],
  ['https://deb.example.org:8443/debian/', 'https://deb.example.org:8443/debian/'],
  ['http://[2001:db8::1]:3142/debian', 'http://[2001:db8::1]:3142/debian'],
  ['file:/srv/packages', 'file:/srv/packages'],
  ['file:///srv/packages', 'file:///srv/packages'],
  ['cdrom:[Debian 12]/', 'cdrom:[Debian\\x2012]/'],
  ['mirror+https://m.example.org/list', 'mirror+https://m.example.org/list'],
])('%s has no secret', (uri, shown) => {
  expect(redactUri(uri)).toBe(shown)
})

test.each([
  ['https://user:s3cret@host/x', 'https://[redacted]@host/x'],
  ['https://s3cret:@host/x', 'https://[redacted]@host/x'],
  ['https://user:p@s3cret@host/x', 'https://[redacted]@host/x'],
  ['https://user:pass/s3cret@host/x', 'https://user:[redacted]/[redacted]@host/x'],
  ['https://host/x?token=s3cret', 'https://host/x?[redacted]'],
  ['https://host?token=s3cret', 'https://host?[redacted]'],
  ['https://host/x#s3cret', 'https://host/x#[redacted]'],
])('%s does not keep it', (uri, shown) => {
  expect(redactUri(uri)).toBe(shown)
  expect(shown).not.toContain('s3cret')
})

test.each([
  ['http://evil.example/x@deb.debian.org/debian', 'evil.example'],
  ['http://deb.debian.org?x@evil.example/debian', '@evil.example/'],
  ['http://deb.debian.org#@evil.example/debian', '@evil.example/'],
])('%s shows the host that apt asks', (uri, host) => {
  expect(redactUri(uri)).toContain(host)
})

test.each([
  ['HTTPS://x', 'https'],
  ['cdrom:[x]/', 'cdrom'],
  ['nothing', '(none)'],
])('transport of %s', (uri, transport) => {
  expect(transportOf(uri)).toBe(transport)
})
