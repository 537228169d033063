import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptedStep, base32, hotp, otpauthUri, totpStep } from '../../../collector/access/totp.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { hmac } from '../../../shared/crypto/node.ts'

const SECRET = utf8('12345678901234567890')

describe('one-time codes', () => {
  // RFC 6238 appendix B, the rows of SHA-1.
  it.each([
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ])('are those of RFC 6238 at %s', (seconds, code) => {
    expect(hotp(hmac, SECRET, totpStep(seconds * 1000), 8)).toBe(code)
  })

  // RFC 4226 appendix D.
  it('are those of RFC 4226', () => {
    const codes = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']
    expect(codes.map((_, counter) => hotp(hmac, SECRET, counter))).toEqual(codes)
  })

  it('count within one step of now, once, and none before one that was used', () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.integer({ min: -4, max: 4 }),
        fc.option(fc.integer({ min: -3, max: 3 })),
        (step, off, used) => {
          const base = step + 10
          const code = hotp(hmac, SECRET, base + off)
          const lastUsed = used === null ? null : base + used
          const accepted = acceptedStep(hmac, SECRET, code, { now: base * 30_000, lastUsed })
          // Neighbouring steps rarely share a code: what is accepted has this one, whichever it is.
          if (accepted !== undefined) {
            expect(hotp(hmac, SECRET, accepted)).toBe(code)
            expect(Math.abs(accepted - base)).toBeLessThanOrEqual(1)
            if (lastUsed !== null) expect(accepted).toBeGreaterThan(lastUsed)
          } else expect(Math.abs(off) > 1 || (used !== null && off <= used)).toBe(true)
        },
      ),
    )
  })

  it('are refused in any other form', () => {
    for (const code of ['', '1', '28708', '2870822', '287 082', 'abcdef']) {
      expect(acceptedStep(hmac, SECRET, code, { now: 30_000, lastUsed: null })).toBeUndefined()
    }
  })

  // RFC 4648 section 10, without padding.
  it.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('have secrets in base32: %s', (text, encoded) => {
    expect(base32(utf8(text))).toBe(encoded)
  })

  it('come to an app as a URI', () => {
    const uri = new URL(otpauthUri('Keepseal', 'ada@acme', SECRET))
    expect(uri.protocol).toBe('otpauth:')
    expect(decodeURIComponent(uri.pathname)).toContain('Keepseal:ada@acme')
    expect(uri.searchParams.get('secret')).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  })
})
